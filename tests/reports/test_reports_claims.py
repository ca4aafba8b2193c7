"""Published figures beside our own, in a table and in sentences."""

from __future__ import annotations

from reports.analysis import claims

OURS = [80.0, 81.0, 82.0]  # mean 81, sd 1


def test_the_table():
    given = [
        {"variant": "a", "against": "", "low": 81.0, "high": 81.4, "seeds": 1, "source": "paper", "claim": ""},
        {
            "variant": "a",
            "against": "b",
            "low": 0.5,
            "high": 0.5,
            "seeds": 1,
            "source": "paper",
            "claim": "a is better",
        },
        {"variant": "c", "against": "", "low": 90.0, "high": 90.0, "seeds": 1, "source": "paper", "claim": ""},
    ]
    found = claims.frame(given, {"a": OURS, "b": [80.0, 80.5, 81.0], "c": []})
    assert list(found["published"]) == ["81 to 81.4 %", "+0.5 points", "90 %"]
    assert list(found["ours"]) == ["81.00 %", "+0.50 points", "not known yet"]
    assert list(found["verdict"]) == ["agrees", "agrees", "cannot be told"]
    assert list(found["claim"]) == ["accuracy of a", "a is better", "accuracy of c"]
    assert found["sentence"][0] == (
        "The accuracy of a: published 81 to 81.4 %, here 81.00 % (mean of 3); they agree: ours is within the published "
        "range (trainings like ours may differ by 4.97 points)."
    )
