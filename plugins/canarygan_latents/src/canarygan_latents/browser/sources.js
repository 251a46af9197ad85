// Where sounds come from: the generator in the page, one behind it, or a grid of sounds.

/** What makes a sound of a latent: {name, exact, sound: async (z, view) => {samples, z, milliseconds}}; one with decoders behind it has `full` for the label too, which takes longer. */
function makeSource(content, space) {
  const { model, network, sounds, server } = content;
  if (server) {
    const full = (z) => askServer(server, z, true);
    return { name: "server", exact: true, sound: (z) => askServer(server, z, false), ...(content.decoders.length ? { full } : {}) };
  }
  if (network) {
    const run = makeNetwork(network);
    return {
      name: "network", exact: true,
      sound: async (z) => {
        const start = performance.now();
        const samples = run(z);
        return { samples, z: [...z], milliseconds: performance.now() - start };
      },
    };
  }
  return {
    name: "grid", exact: false,
    sound: async (z, view) => {
      const start = performance.now();
      const { side, audio } = sounds.views[view];
      const { axes } = content.views[view];
      const places = axes.map((axis) => space.place(z[axis], axis, side));
      const samples = new Float32Array(model.samples);
      const kept = samplesOf(audio[places.reduceRight((sum, place) => sum * side + place, 0)]);
      samples.set(kept.subarray(0, model.samples));
      const nearest = [...content.box.at];
      axes.forEach((axis, i) => { nearest[axis] = space.middle(places[i], axis, side); });
      return { samples, z: nearest, milliseconds: performance.now() - start };
    },
  };
}

/** What the server says of a latent. Its headers hold texts in percent-encoding, which are empty where there is nothing. */
async function askServer({ sound, token }, z, label) {
  const start = performance.now();
  const headers = { "X-Token": token, "Content-Type": "application/json" };
  const answer = await fetch(sound, { method: "POST", headers, body: JSON.stringify({ z: [...z], label }) }).catch(() => {
    throw new Error("the command behind this page has ended. Start canarygan explore again, and open the new address.");
  });
  if (!answer.ok) throw new Error((await answer.text()).slice(0, 300));
  const samples = new Float32Array(await answer.arrayBuffer());
  const said = (name) => decodeURIComponent(answer.headers.get(name) ?? "");
  const [name, warning] = [said("X-Label"), said("X-Warning")];
  const [generator, posterior, agreement] = ["X-Milliseconds", "X-Confidence", "X-Agreement"].map((name) => Number(said(name)));
  return { samples, z: [...z], milliseconds: performance.now() - start, generator, warning, ...(name ? { label: name, posterior, agreement } : {}) };
}

/** Calls that overlap are dropped but for the last: `latest(work, done)` does work when the one before has ended. */
function oneAtATime(failed) {
  let [busy, next] = [false, null];
  const go = async (work, done) => {
    busy = true;
    try {
      done(await work());
    } catch (error) {
      failed(error);
    }
    busy = false;
    if (next) {
      const [later, then] = next;
      next = null;
      setTimeout(() => go(later, then));
    }
  };
  return (work, done) => { if (busy) next = [work, done]; else go(work, done); };
}
