// Where sounds come from: the generator in the page, one behind it, or a grid of sounds.

/** What makes a sound of a latent: {name, exact, sound: async (z, view) => {samples, z, milliseconds, label, posterior}}. */
function makeSource(content, space) {
  const { model, network, sounds, server } = content;
  if (server) return { name: "server", exact: true, sound: (z) => askServer(server, z) };
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

async function askServer({ sound, token }, z) {
  const start = performance.now();
  const answer = await fetch(sound, { method: "POST", headers: { "X-Token": token, "Content-Type": "application/json" }, body: JSON.stringify({ z: [...z] }) });
  if (!answer.ok) throw new Error(`The server answers ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
  const samples = new Float32Array(await answer.arrayBuffer());
  const [label, posterior, own] = ["X-Label", "X-Confidence", "X-Milliseconds"].map((name) => answer.headers.get(name));
  const known = label === null ? {} : { label, posterior: Number(posterior) };
  return { samples, z: [...z], milliseconds: performance.now() - start, generator: own === null ? null : Number(own), ...known };
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
