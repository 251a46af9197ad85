"""What all tests share, wherever they lie: a seed each, which of them are slow, and nothing drawn before they start."""

import functools
import os
import random
import sys
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent
SLOW = {
    "test_pipeline",
    "test_explore_live",
    "test_printed_commands",
    "test_surroundings",
    "test_as_the_original",
    "test_a_tree_deeper_than_python_may_call_itself_is_listed",
    "test_a_reader_that_leaves_changes_nothing",
    "test_building",
    "test_crash",
    "test_plugins",
    "test_show_plugins",
    "test_browser",
    "test_browser_access",
    "test_browser_path",
    "test_browser_space",
    "test_a_new_plugin_is_clean",
    "test_checking_plugins",
    "test_looking_after_runs",
    "test_strangers",
    "test_a_class_that_auto_cuts_in_half_is_named",
    "test_every_variant_trains_and_generates",
    "test_lasting_silence_is_a_warning",
    "test_a_training_killed_around_its_checkpoint_ends_like_one_that_was_not",
    "test_fuzz",
    "test_invert",
    "test_inverting",
    "test_export",
    "test_the_sheet_shows_eight_clips_of_each_class",
    "test_cnn_keeps_the_contract",
    "test_a_dry_run_estimates_the_time_and_leaves_nothing",
    "test_a_plain_training_resumes_and_generates_on_the_command_line",
    "test_a_training_from_before_the_option_of_the_critic_step_goes_on",
    "test_an_interrupted_training_ends_like_one_that_was_not",
    "test_equal_seeds_give_equal_trainings_and_others_do_not",
    "test_longer_training_goes_on_where_a_finished_one_ended",
    "test_moments_that_lie_otherwise_in_memory_are_taken_up_as_they_are",
    "test_resuming_takes_the_options_of_the_start_and_refuses_others",
    "test_plain_and_fast_critic_steps_end_with_equal_weights",
    "test_precision_32_trains_and_generates_without_tf32",
    "test_training_lowers_the_distance_between_real_and_generated",
    "test_two_processes_equal_one_with_the_joint_batch",
    "test_a_signal_that_comes_while_a_checkpoint_is_saved_costs_no_update",
    "test_reservoirpy_leaves_no_folder_among_temporary_files",
    "test_a_training_goes_on_where_its_newest_checkpoint_is_the_worst",
    "test_every_metric_scores_the_same_by_every_way_in",
    "test_known_plugins",
    "test_seeds",
    "test_cut",
    "test_rerun",
    "test_verify_chain",
    "test_umap",
    "test_umap_task",
    "test_two_thousand_sounds_of_a_second_stay_under_20_mb",
    "test_a_page_is_below_15_mb_with_the_largest_network_and_with_sounds",
    "test_checkpoints_of_one_run_may_be_scored_one_by_one",
    "test_scores_of_two_runs_are_not_mixed_though_their_versions_have_one_name",
    "test_a_training_that_was_stopped_ends_like_one_that_was_not",
    "test_every_file_and_key_that_the_pipeline_leaves_is_documented",
    "test_examples_are_typed_and_clean_outside_of_the_repository",
    "test_an_example_passes_its_own_tests",
    "test_the_forest_is_trained_and_labels_like_any_decoder",
    "test_the_sounds_of_the_model_are_scored_by_the_metric",
    "test_cli_page_is_what_help_says",
    "test_commands_run_or_say_why_not[README.md]",
    "test_commands_run_or_say_why_not[docs/recordings.md]",
    "test_commands_run_or_say_why_not[docs/data.md]",
    "test_commands_run_or_say_why_not[docs/models.md]",
    "test_commands_run_or_say_why_not[docs/notebook.md]",
    "test_commands_run_or_say_why_not[docs/plugins.md]",
    "test_commands_run_or_say_why_not[docs/tutorial.md]",
    "test_a_command_of_a_plugin_that_is_left_out_tells_what_to_install",
    "test_a_new_plugin_is_found_keeps_the_contract_and_works",
    "test_layers_are_not_made_before_a_test_starts",
    "test_a_training_that_stops_and_goes_on_equals_one_that_does_not",
    "test_what_a_training_leaves",
    "test_sounds_of_all_lengths_are_returned_in_their_order_and_computed_with_their_like",
    "test_a_plugin_is_imported_to_be_listed_the_first_time_alone",
    "test_every_option_that_is_installed_has_a_help_text",
    "test_a_damaged_or_unwritable_cache_costs_time_alone",
    "test_what_was_stopped_goes_on_and_scores_nothing_twice",
    "test_every_checkpoint_of_a_version_is_scored_in_order",
    "test_a_typed_sequence",
    "test_a_morph_of_a_network",
    "test_equal_steps_of_a_network",
    "test_an_option_of_every_type_comes_from_flags_a_file_and_a_manifest",
    "test_installed_models_pass",
    "test_where_chance_chose_the_clips_false_alarms_are_as_rare_as_promised",
    "test_a_projector_lays_out_the_same_by_every_way_in",
}
"""Tests that take more than 1.5 s, by the name of their file, function, or function and parameters."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="number that seeds each test, together with its name")


def pytest_configure(config: pytest.Config) -> None:
    """Tests on several workers take one thread each: threads that wait for each other take most of the time else."""
    if config.getoption("numprocesses", None):
        os.environ["OMP_NUM_THREADS"] = "1"


def seed_generators(config: pytest.Config, name: str) -> None:
    """Seed the global generators with the option `--seed` and a name."""
    number = zlib.crc32(f"{config.option.seed} {name}".encode())
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 tests may call what draws from the global generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(number)


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """A test draws the same numbers whichever tests run before it."""
    seed_generators(request.config, request.node.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    """A fixture that several tests share draws the same numbers whichever of them asks first."""
    if fixturedef.scope != "function":
        seed_generators(request.config, f"{fixturedef.baseid}::{fixturedef.argname}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not SLOW.isdisjoint((item.path.stem, item.name, getattr(item, "originalname", ""))):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """While tests are collected, no file of the repository may draw from Python's or numpy's global generator.

    What is drawn at import or for parameters has no seed, so it would be another test each time.
    """
    collecting = [True]

    def refused(name: str, draw: Callable[..., Any], *, seedable: bool = False) -> Callable[..., Any]:
        @functools.wraps(draw)
        def draws(*args: Any, **options: Any) -> Any:
            caller = Path(sys._getframe(1).f_code.co_filename)
            ours = caller.is_relative_to(ROOT) and "site-packages" not in caller.parts
            if collecting and ours and not (seedable and (args or options)):
                raise AssertionError(f"{name} is called before any test starts; call it in a test or a fixture")
            return draw(*args, **options)

        return draws

    with pytest.MonkeyPatch.context() as patch:
        for module in (random, np.random):
            for name, draw in list(vars(module).items()):
                if isinstance(getattr(draw, "__self__", None), random.Random | np.random.RandomState):
                    patch.setattr(module, name, refused(f"{module.__name__}.{name}", draw))
        patch.setattr(np.random, "default_rng", refused("default_rng()", np.random.default_rng, seedable=True))
        result = yield
    collecting.clear()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same of torch's generator: a file that draws from it fails by name."""
    torch = sys.modules.get("torch")
    before = torch and torch.get_rng_state()
    report = yield
    if torch and report.outcome == "passed" and not torch.equal(before, torch.get_rng_state()):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} draws by torch before any test starts"
    return report
