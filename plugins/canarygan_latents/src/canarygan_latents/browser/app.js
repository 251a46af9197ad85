// The state of the page, and all that changes it.

const SLOW = 80; // a sound that takes so many milliseconds is made once the pointer rests
const PAUSE = 120;

function makeApp(content) {
  const space = makeSpace(content);
  const app = {
    content, space, source: makeSource(content, space), view: 0, axis: 2, slice: 0, cursor: null, path: [], adding: false,
    hidden: new Set(), colour: content.classes.length ? "class" : "duration", cubeStyle: "block", playing: false, sounding: null, played: 0, shown: null, painters: [], changed: [],
    get grid() { return space.grids[app.view]; },
  };
  let waiting = false;
  app.repaint = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const paint of app.painters) paint();
    });
  };
  app.format = (z) => `(${z.map((value) => signed(value, 2)).join(", ")})`;
  /** The cell of a grid that a latent lies in, where a grid passes through it: [grid, index], or null. */
  app.cellAt = (z) => {
    const grid = [app.grid, ...space.grids].find((one) => space.passes(one, z));
    return grid ? [grid, space.index(grid, space.cellOf(grid, z))] : null;
  };
  app.labelAt = (z) => {
    const cell = app.cellAt(z);
    return cell && space.labelOf(...cell);
  };
  /** Whether a latent lies in what the flat picture shows. */
  app.isShown = (z) => space.passes(app.grid, z) && (app.grid.dims < 3 || space.cellOf(app.grid, z)[app.axis] === app.slice);
  const latest = oneAtATime((error) => app.fail(error));
  const moveTo = (z, cuts) => {
    app.cursor = [...z];
    if (cuts && app.grid.dims === 3) app.slice = space.place(z[app.grid.axes[app.axis]], app.grid.axes[app.axis], app.grid.side);
    for (const tell of app.changed) tell();
    app.repaint();
  };
  /** Show a sound, and a moment later what decoders behind the page say of this very point. */
  app.present = (sound) => {
    app.show(sound);
    clearTimeout(app.asking);
    if (!app.source.full) return;
    app.asking = setTimeout(async () => {
      try {
        const { label, posterior, agreement } = await app.source.full(sound.z);
        if (app.shown === sound) app.show(Object.assign(sound, { label, posterior, agreement }));
      } catch (error) {
        app.fail(error);
      }
    }, PAUSE);
  };
  /** Move the cursor and show the sound that is there; the slice goes there too, unless it is not to move. */
  app.point = (z, cuts = true) => {
    moveTo(z, cuts);
    clearTimeout(app.later);
    const look = () => latest(() => app.source.sound(z, app.view), (sound) => app.present(sound));
    if ((app.shown?.milliseconds ?? 0) < SLOW) look();
    else app.later = setTimeout(look, PAUSE);
  };
  /** Move the cursor, play the sound that is there, and add it to the path if points are to be added. */
  app.choose = async (z, adds = app.adding) => {
    clearTimeout(app.later);
    moveTo(z, true);
    if (adds) app.add(z);
    try {
      const sound = await app.source.sound(z, app.view);
      app.present(sound);
      app.play(sound.samples);
    } catch (error) {
      app.fail(error);
    }
  };
  app.add = (z) => {
    app.path.push([...Float32Array.from(z)]);
    app.paths.change();
  };
  app.play = (samples) => {
    app.playing = true;
    app.sounding = samples;
    app.played += 1;
    player.play(samples, content.model.rate, () => {
      if (app.sounding !== samples) return;
      app.stop();
    });
    for (const tell of app.changed) tell();
    app.repaint();
  };
  app.stop = () => {
    [app.playing, app.sounding] = [false, null];
    player.stop();
    for (const tell of app.changed) tell();
    app.repaint();
  };
  app.moveSlice = (by) => {
    if (app.grid.dims < 3) return;
    app.slice = Math.min(app.grid.side - 1, Math.max(0, app.slice + by));
    const axis = app.grid.axes[app.axis];
    const z = [...(app.cursor ?? content.box.at)];
    z[axis] = space.middle(app.slice, axis, app.grid.side);
    app.point(z);
  };
  app.key = (event, arrow) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = () => app.cursor ?? content.box.at;
    const keys = {
      ArrowLeft: () => arrow(-1, 0), ArrowRight: () => arrow(1, 0), ArrowUp: () => arrow(0, 1), ArrowDown: () => arrow(0, -1),
      PageUp: () => app.moveSlice(1), PageDown: () => app.moveSlice(-1), Enter: () => app.choose(here(), false), a: () => app.add(here()), Escape: app.stop,
    };
    keys[" "] = keys.Enter;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };
  app.setView = (view) => {
    app.view = view;
    app.axis = Math.min(app.axis, app.grid.dims - 1);
    app.slice = Math.floor(app.grid.side / 2);
    app.point(space.latentOf(app.grid, app.grid.axes.map(() => app.slice)));
  };
  return app;
}
