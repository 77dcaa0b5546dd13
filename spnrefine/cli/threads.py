"""The threads of a command: as many as there are cores, or as were asked for, shared by all that starts some."""

from spnrefine.simd import cores


def count_threads(asked: int | None) -> int:
    """Return how many threads a command may use: at most one a core, whatever was ``asked``.

    Raises
    ------
    SpnRefineError
        A variable that says how many holds no number.
    """
    return cores.threads() if asked is None else min(asked, cores.available())


def share_threads(asked: int | None, jobs: int = 1) -> int:
    """Hold the libraries to their share of the threads where ``jobs`` run at once, and return what is that of a job.

    To be called before NumPy and OpenCV are imported, whose linear algebra starts its threads at once.
    """
    share = max(1, count_threads(asked) // jobs)
    cores.limit_libraries(share)
    import cv2

    cv2.setNumThreads(share)
    return share
