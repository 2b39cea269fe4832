from bridge.options import InvalidConfigurationError, Place, Problem

LATER = Problem(Place("routes.yaml", 14, 17), "unknown-target", "there is no such target", 'did you mean "slack"?')
EARLIER = Problem(Place("routes.yaml", 2, 1), "missing-key", "the file needs a key")


def test_a_problem_is_one_line_that_editors_can_open() -> None:
    assert str(LATER) == 'routes.yaml:14:17: unknown-target: there is no such target; did you mean "slack"?'
    assert str(EARLIER) == "routes.yaml:2:1: missing-key: the file needs a key"


def test_problems_are_told_in_reading_order_each_once() -> None:
    error = InvalidConfigurationError([LATER, EARLIER, LATER])
    assert error.problems == (EARLIER, LATER)
    assert str(error).splitlines() == [str(EARLIER), str(LATER)]


def test_a_problem_is_one_line_so_that_no_name_in_a_file_can_look_like_another() -> None:
    assert str(Problem(Place("a.yaml", 1, 2), "bad", 'no "x\nb.yaml: no problems"')) == (
        'a.yaml:1:2: bad: no "x b.yaml: no problems"'
    )
