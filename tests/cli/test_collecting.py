import gc

from spnrefine.cli.collecting import nothing_collected


def test_what_is_loaded_is_not_looked_at_again_and_what_follows_is():
    frozen, cycle = gc.get_freeze_count(), []
    cycle.append(cycle)
    try:
        with nothing_collected():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
        assert not any(each is cycle for each in gc.get_objects())
        later = [[]]
        assert any(each is later for each in gc.get_objects())
    finally:
        gc.unfreeze()
