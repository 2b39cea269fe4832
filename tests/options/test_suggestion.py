from bridge.options import did_you_mean, nearest


def test_the_nearest_word_is_suggested() -> None:
    assert did_you_mean("slak", ["slack", "log", "http"]) == 'did you mean "slack"?'


def test_case_is_no_distance() -> None:
    assert nearest("Deal.Lost", ["deal.lost", "deal.won"]) == "deal.lost"


def test_a_few_words_are_listed_when_none_is_near() -> None:
    assert did_you_mean("xyz", ["slack", "log"]) == "known: log, slack"


def test_many_words_are_not_listed() -> None:
    assert did_you_mean("xyz", [f"word{number}" for number in range(21)]) == ""


def test_nothing_known_is_nothing_said() -> None:
    assert did_you_mean("xyz", []) == ""


def test_a_word_is_compared_with_five_thousand_others_and_not_with_more() -> None:
    names = [f"field{number}" for number in range(5001)]
    assert nearest("feild1", names[:5000]) is not None
    assert nearest("feild1", names) is None
