"""`explore`: the latent space live, in a browser of this machine."""

from canarygan_core import Answer, Request
from canarygan_latents.options import Axes, Checkpoint, Data, Decoders, Device, Point


def explore(
    *,
    generator_ckpt: Checkpoint,
    decoder_ckpt: Decoders = None,
    dataset: Data = None,
    port: int = 0,
    browser: bool = True,
    side: int = 12,
    axes: Axes = None,
    at: Point = None,
    draws: int = 2000,
    batch_size: int = 100,
    seed: int = 0,
    device: Device = "auto",
    device_idx: int = 0,
    request: Request,
) -> Answer:
    """Show a model's latent space in the browser, with the model behind it: any point sounds at once. Ctrl-C ends it.

    It is the page of atlas, served to this machine alone at an address that is printed. It writes no output.

    Args:
        port: Port of the address; 0 takes a free one.
        browser: Open the page in the browser, where there is a screen.
        side: Cells along each axis; a cube of three axes has SIDE ** 3.
        draws: Latents drawn as in training in a space of more than the shown dimensions, for shares and acoustics.
        batch_size: Sounds computed at a time before the page is shown.
        seed: Seed of the draw.
        device_idx: Which GPU.
    """
    import secrets
    import sys
    from datetime import UTC, datetime
    from importlib import metadata

    from canarygan_core import console
    from canarygan_core.fitted import decoders
    from canarygan_core.plugins import get_registry
    from canarygan_latents.atlas import page
    from canarygan_latents.atlas.content import Sizes, make_content
    from canarygan_latents.atlas.real import find_real
    from canarygan_latents.explore import app, server
    from canarygan_latents.explore.sounds import Made, SoundMaker, open_thread
    from canarygan_latents.opening import open_generator

    sizes = Sizes(side, axes, at, draws, batch_size, seed)
    token, name = secrets.token_urlsafe(), "canarygan-latents"
    versions = {name: metadata.version(name)}
    with server.bind(port) as listener:
        opened = open_generator(generator_ckpt, device, device_idx)
        trained = decoders.load_all(decoder_ckpt or [], get_registry(), None, device, device_idx)
        clips, _ = find_real(dataset, request.given, opened, trained)
        content = make_content(
            opened,
            trained,
            sizes,
            clips=clips,
            record={"argv": list(request.argv), "started": f"{datetime.now(UTC):%Y-%m-%dT%H:%M}", "versions": versions},
            server={"sound": app.SOUND, "token": token},
        )
        maker, made = SoundMaker(opened.generator, trained), 0
        port = listener.getsockname()[1]
        with open_thread(maker.warm_up) as thread, console.show_bar("sounds", None) as advance:

            def count(sound: Made) -> None:
                nonlocal made
                made += 1
                advance(1, f"{sound.milliseconds:.0f} ms")

            served = app.build_app(
                page.compose(content), maker.make, thread, dim=maker.dim, token=token, port=port, report=count
            )
            url = f"http://{server.HOST}:{port}/{token}/"
            console.write_line(f"{url}\nOpen this address in a browser of this machine. Ctrl-C ends it.", sys.stdout)
            sys.stdout.flush()
            if browser:
                server.open_browser(url)
            server.serve(served, listener)
    return Answer(f"Sounds made: {made}.", {"sounds": made})
