"""Every number of the training, in one block."""

from dataclasses import dataclass

from spnrefine.model.framing import MOST_ENLARGED


@dataclass(frozen=True)
class Recipe:
    """What a training run does apart from its data, its starting point and its budget.

    Chances are per patch. Lengths named ``*_span`` are pairs (least, most), drawn log-uniformly. "Of the object" means
    as a share of the square root of the area of the object's box; pixels are the photograph's unless said.
    """

    # --- optimisation: AdamW, linear warm-up, cosine to zero over the budget
    learning_rate: float = 2e-3  # from scratch or ImageNet weights
    learning_rate_continued: float = 2e-4  # from weights of this network: gentle, so that nothing gets worse
    encoder_rate: float = 0.3  # the encoder's learning rate, as a multiple; 0: it stays, which halves a step
    weight_decay: float = 1e-2  # on convolution kernels only: not on norms and biases
    warmup_steps: int = 200
    warmup_share: float = 0.1  # of the budget, at most: short runs warm up sooner
    gradient_norm: float = 5.0  # gradients longer than this are shortened to it
    average: float = 0.999  # moving average of weights and buffers, at most
    average_share: float = 0.1  # its length is at most this share of the run
    auxiliary_weight: float = 0.3  # of the same loss on the stride-8 head; there is none when carrying on
    error_offset: float = 0.1  # a patch counts as 1 / (the IoU error of its coarse mask + this)
    edge_weight: float = 0.3  # of the loss along the true contour
    edge_pixels: float = 2.5  # output pixels over which its weight falls to 1 / e
    sure_weight: float = 1.0  # so much more the contour counts where the truth is known exactly: hand-drawn ones err
    frozen_norms_continued: bool = True  # carrying on with small batches: batch norms keep their trained statistics

    # --- batches in turn: (patches, side in output pixels); a CPU divides the patches by `cpu_scale`
    batches: tuple[tuple[int, int], ...] = ((128, 128), (64, 256), (32, 384))
    cpu_scale: int = 4

    # --- data
    held_aside: float = 0.03  # of the pairs of a set without `val`, chosen by a hash of the stem
    # A set of n photographs is drawn in proportion to n to this power, however many masks they have. At 1 the largest
    # set, photographs of one salient thing, would be nearly all that is seen; at 0 the hundred pictures of the smallest
    # would come back hundreds of times and be learnt by heart.
    set_balance: float = 0.6
    unions: int = 4  # random unions kept of each label map
    parts_chance: float = 0.5  # a mask of several parts is also kept with some of its parts alone
    longest_side: int = 2048  # pixels: larger photographs are kept in memory at this size
    area_span: tuple[float, float] = (0.0006, 0.85)  # masks that cover less or more of the picture are left out
    polygon_span: tuple[float, float] = (0.006, 0.05)  # tolerance of the polygon versions, of the object
    polygon_fill_chance: float = 0.3  # a polygon version without holes
    brush_span: tuple[float, float] = (0.04, 0.16)  # radius of the brush of the brushed versions, of the object

    # --- views
    frame_chance: float = 0.35  # the whole object as at inference: its box and the margin of model/framing.py
    frame_margin_span: tuple[float, float] = (0.15, 0.6)  # half of the frames: another margin than 0.25
    frame_zoom: float = MOST_ENLARGED  # output pixels a pixel, at most: no object is enlarged more at inference
    scene_chance: float = 0.15  # a frame that is the whole picture
    small_chance: float = 0.15  # a frame that is so large that the object is small in it, as far as the picture goes
    small_span: tuple[float, float] = (15.0, 60.0)  # output pixels of the longer side of such an object
    zoom_span: tuple[float, float] = (0.57, 1.87)  # output pixels a pixel, for views around a boundary point
    aspect: float = 0.2  # largest log of the stretch of width over height
    rotate_chance: float = 0.5
    rotate_zoom: float = 30.0  # degrees at most; frames turn a third of it
    flip_chance: float = 0.5  # left to right
    upside_down_chance: float = 0.05

    # --- truths known exactly: the same number in every batch
    cut_chance: float = 0.15  # the object cut out and put over another photograph
    cut_span: tuple[float, float] = (0.5, 2.0)  # so much further in, pixels: what is left of the old background
    cut_most: float = 0.05  # of the object, at most
    cut_mirrored: float = 0.35  # over its own photograph, mirrored: the same object again, to be kept out
    cut_slack: float = 1.5  # one side has this many times the other's fine detail, at most
    cut_harmony: float = 0.9  # the largest share of the difference of mean colours that is taken away
    stroke_chance: float = 0.05  # thin strokes drawn on the photograph, instead of its object
    stroke_span: tuple[float, float] = (1.0, 6.0)  # their width, output pixels
    stroke_size: float = 4.0  # the size of such an object, in widths
    stroke_contrast: tuple[float, float] = (0.06, 0.5)

    # --- masks that networks made (--coarse), instead of made mistakes
    given_chance: float = 0.3  # where the photograph has any
    given_hard_chance: float = 0.3  # cut at a half first

    # --- made mistakes: of all kinds below at once, or of one kind alone
    single_chance: float = 0.5  # of one kind alone, as most coarse masks are made in one way

    # --- mistakes along the edge
    exact_chance: float = 0.1  # the truth itself, so that masks that are right already stay as they are
    exact_soft_chance: float = 0.3  # of those: with a soft edge
    exact_span: tuple[float, float] = (1.0, 4.0)  # its width, output pixels
    polygon_chance: float = 0.25  # start from a polygon version
    brush_chance: float = 0.1  # start from a brushed version
    warp_chance: float = 0.5
    warp_span: tuple[float, float] = (0.004, 0.06)  # of the object
    shift_chance: float = 0.2  # all of the mask to one side
    shift_span: tuple[float, float] = (0.01, 0.1)  # of the object
    offset_chance: float = 0.6  # inwards here, outwards there
    offset_span: tuple[float, float] = (0.003, 0.04)  # of the object
    grow_chance: float = 0.25  # all of the edge inwards, or all outwards
    grow_span: tuple[float, float] = (0.003, 0.05)  # of the object
    chord_chance: float = 0.06  # a stretch of contour dropped: a straight line takes its place
    chord_span: tuple[float, float] = (0.02, 0.25)  # of the object's extent, cut off by it
    seeds_chance: float = 0.06  # a region grown from a few points in the object
    seeds_colour: tuple[float, float] = (0.5, 5.0)  # what colours count beside distances (of the object)
    seeds_area: tuple[float, float] = (0.8, 1.2)  # of the object
    target_chance: float = 0.6  # what is not drawn by hand: as wrong as asked for
    target_span: tuple[float, float] = (0.6, 0.98)  # the IoU asked for; drawn evenly
    target_most: float = 8.0  # times the mistake that was drawn
    soft_chance: float = 0.4
    soft_span: tuple[float, float] = (1.0, 24.0)  # width of a soft edge, output pixels
    lowres_chance: float = 0.4
    lowres_span: tuple[float, float] = (3.0, 22.0)  # pixels of the photograph a cell
    lowres_most: float = 0.25  # of the object, at most
    lowres_nearest: float = 0.2  # brought back as squares, else bilinear
    threshold_chance: float = 0.35  # of the low-resolution ones: made hard again
    threshold_span: tuple[float, float] = (0.25, 0.7)

    # --- how far off the edge is, told to networks that know of it
    told_chance: float = 0.5
    told_jitter: float = 1.5  # octaves from the lowest to the highest error of what is told

    # --- mistakes of whole regions
    blob_chance: float = 0.25  # a blob missing (where it starts in the object) or too many (elsewhere)
    similar_chance: float = 0.25  # the same, as far as the colours of the photograph are alike
    region_span: tuple[float, float] = (0.06, 0.35)  # radius, of the view's side
    donor_chance: float = 0.04  # the object of another patch, where nothing like it is in the photograph
    saliency_chance: float = 0.12  # a blurred, uneven map
    weak_chance: float = 0.12  # probabilities squeezed towards zero or a half
    least_iou: float = 0.35  # a coarse mask worse than this is replaced by its edge mistakes alone

    # --- the network's own output as its input
    again_chance: float = 0.08  # its output on the coarse mask
    guess_chance: float = 0.08  # its output on a hardly legible mask: mistakes of regions that follow edges
    guess_cells: tuple[float, float] = (4.0, 10.0)  # low-resolution cells of such a mask, across the view

    # --- photometric, each with its chance
    photometric_chance: float = 0.6
    brightness: float = 0.2
    contrast: float = 0.3  # largest log
    saturation: float = 0.6  # largest log
    gamma: float = 0.35  # largest log
    colour_cast: float = 0.08
    gray_chance: float = 0.12
    false_colour_chance: float = 0.08  # channels mixed at random
    inverted_chance: float = 0.05
    flat_chance: float = 0.08  # hardly any contrast
    flat_span: tuple[float, float] = (0.15, 0.5)  # what is left of it
    noise: float = 0.07  # largest standard deviation
    noise_chance: float = 0.25
    grain_chance: float = 0.4  # of noise: coarser than single pixels
    blur_chance: float = 0.15
    blur_far_chance: float = 0.4  # of those: three times as far
    sharp_chance: float = 0.1
    sharp_span: tuple[float, float] = (0.3, 1.5)  # of what smoothing takes away, added once more

    # --- photographs seen whole, for backbones and label maps
    looks: int = 16  # photographs a step of a backbone
    look_sides: tuple[int, ...] = (224, 256, 288, 320)  # of a backbone's input; drawn for each step
    look_span: tuple[float, float] = (0.6, 1.0)  # share of the photograph's sides in view
    look_aspect: float = 0.3  # largest log of the stretch of width over height
    look_degrees: float = 10.0

    # --- label maps: the base sees whole looks, the SPN patches of them
    label_looks: int = 4  # photographs a step; at least two, for the statistics of batch norms
    label_side: int = 384
    label_span: tuple[float, float] = (0.55, 1.1)
    label_degrees: float = 20.0
    label_patches: int = 4  # of each photograph
    label_patch: int = 128  # pixels
    learn_base: bool = True  # along with the refiner; else it stays as it came
    coarse_bend: float = 6.0  # pixels by which the base's map strays, half of the time: standard deviation at most

    # --- mattes: objects composed over other photographs; lengths in pixels, "of the object" as above
    matte_batch: int = 16  # patches a step
    matte_patch: int = 128
    matte_cuts: int = 8  # patches cut from each composite
    matte_pool: int = 300  # composites to draw from; the oldest give way
    matte_first: int = 24  # composites before the first step
    matte_every: int = 3  # steps between two composites
    matte_zoom_chance: float = 0.4
    matte_zoom: tuple[float, float] = (1.0, 2.0)  # the photograph enlarged
    matte_area: float = 0.01  # least share of the picture that is inside the object
    matte_blur: tuple[float, float] = (0.5, 7.0)  # standard deviation along the edge
    matte_edges: tuple[float, ...] = (0.45, 0.2, 0.1, 0.25)  # blurred, blurred unevenly, moved, hairy
    matte_motion: tuple[float, float] = (4.0, 24.0)
    matte_hair: tuple[float, float] = (8.0, 60.0)  # length
    matte_hair_width: tuple[float, float] = (0.7, 2.2)
    matte_hair_blur: float = 1.5  # the edge beside hairs, at most
    matte_hairs: tuple[float, float] = (30, 600)  # their number
    matte_front_blur_chance: float = 0.5  # the object is as blurred as its edge
    matte_harmony_chance: float = 0.5
    matte_harmony: float = 0.9  # the largest share of the difference of mean colours that is taken away
    matte_shadow_chance: float = 0.2
    matte_shadow: tuple[float, float] = (0.15, 0.65)  # how dark
    matte_shadow_reach: tuple[float, float] = (0.02, 0.25)  # of the object
    matte_shadow_blur: tuple[float, float] = (1.0, 12.0)
    matte_noise_chance: float = 0.5
    matte_noise: float = 0.03
    matte_jpeg_chance: float = 0.4
    matte_jpeg: tuple[int, int] = (60, 98)  # quality
    matte_hard_chance: float = 0.5  # of a coarse mask of two values
    matte_hard: tuple[float, ...] = (0.25, 0.15, 0.2, 0.15, 0.15, 0.1)  # polygon, shift, warp, grow, lowres, exact
    matte_soft: tuple[float, ...] = (
        0.2,
        0.15,
        0.15,
        0.1,
        0.1,
        0.1,
        0.2,
    )  # lowres, shift, warp, blur, polygon, sharp, exact
    matte_bald_chance: float = 0.5  # of a hard one: what is thinner than 7 pixels is left out first
    matte_polygon: tuple[float, float] = (0.006, 0.05)  # tolerance, of the object
    matte_lowres: tuple[float, float] = (3.0, 16.0)  # pixels a cell
    matte_off: tuple[float, float] = (0.004, 0.05)  # of the object
    matte_soften: tuple[float, float] = (2.0, 12.0)
    matte_steep: tuple[float, float] = (1.5, 8.0)
    matte_kept_chance: float = 0.5  # of an exact one: taken as it is, as the refiner does where it sees that
    matte_hardened_chance: float = 0.5  # a soft one is made hard before it is refined
    matte_gradient_weight: float = 1.0  # of the error of alpha's gradient
    matte_validation: int = 48  # composites of held-aside pairs

    # --- validation: fixed views and mistakes of held-aside pairs
    validation_patches: int = 132  # as many of each set
    validation_side: int = 256
    validation_minutes: float = 15.0
    validation_share: float = 0.1  # of --minutes, at most, all validations together
    log_seconds: float = 30.0
