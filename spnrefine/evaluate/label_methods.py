"""What makes label maps of photographs: models of label maps, and the refinement of maps that there are."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from spnrefine.errors import SpnRefineError
from spnrefine.evaluate.confusion import Maps
from spnrefine.evaluate.label_crf import dense_crf
from spnrefine.evaluate.labels import LabelledPicture, lowered
from spnrefine.evaluate.own_maps import MapFolder, refine_numbers
from spnrefine.files.classes import VOID, Classes
from spnrefine.job.types import Settings
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner import Parser

MakesMaps = Callable[[LabelledPicture], Maps]


def made(models: Sequence[str], known: Classes, device: str, threads: int | None, *, best: bool) -> MakesMaps:
    """Return what makes maps by models of label maps: ``base`` is the first one's before refinement.

    A dense CRF refines the base too, where pydensecrf is installed.

    Raises
    ------
    SpnRefineError
        A model knows other classes.
    """
    parsers = {model: Parser(model, device, threads, find=False, best=best) for model in models}
    for name, parser in parsers.items():
        if parser.classes != known.names:
            raise SpnRefineError(
                f"{name} knows {', '.join(parser.classes)}, while the truth holds {', '.join(known.names)}: "
                "name the truth's classes with --classes as in training."
            )

    def methods(picture: LabelledPicture) -> Maps:
        maps: Maps = {}
        image = picture.photograph.pixels
        for name, parser in parsers.items():
            _, coarse, refined = parser.planes(image)[0]
            if not maps:
                maps["base"] = coarse.argmax(0)
                if find_spec("pydensecrf") is not None:
                    maps["dense CRF"] = dense_crf(image, coarse).argmax(0)
            maps[name] = refined.argmax(0)
        return maps

    return methods


def refined_lower(known: Classes, times: int, refiner: RefinesMasks, settings: Settings) -> MakesMaps:
    """Return what makes true maps so many times lower in resolution, and refines them."""

    def methods(picture: LabelledPicture) -> Maps:
        coarse = lowered(picture.truth, len(known.names), times)
        refined = refine_numbers(refiner, picture.photograph.pixels, coarse, picture.truth == VOID, settings)
        return {f"{times} times lower": coarse, "refined": refined}

    return methods


def with_others(methods: MakesMaps, others: dict[str, MapFolder]) -> MakesMaps:
    """Return what also reads the maps that others made, by their names."""

    def both(picture: LabelledPicture) -> Maps:
        return methods(picture) | {name: folder.made(picture) for name, folder in others.items()}

    return both
