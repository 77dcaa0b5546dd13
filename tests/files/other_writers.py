"""Run by an interpreter that has the real writers: ``write FOLDER``, or ``read PATH...``; answers in JSON."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import imageio.v3 as imageio
import numpy as np
import pyvips
import rasterio
import SimpleITK as sitk  # noqa: N813
import skimage.io
import tifffile
from PIL import Image
from rasterio.enums import ColorInterp

PACKAGES = {
    "tifffile": "tifffile",
    "GDAL": "rasterio",
    "imageio": "imageio",
    "scikit-image": "scikit-image",
    "libvips": "pyvips",
    "SimpleITK": "SimpleITK",
    "OpenCV": "opencv-python-headless",
    "Pillow": "pillow",
}


def gdal(path: Path, array: np.ndarray, colours: bool = False, overviews: bool = False, **options: Any) -> None:
    bands = array if array.ndim == 3 else array[None]
    options |= {"height": bands.shape[1], "width": bands.shape[2], "count": len(bands), "dtype": bands.dtype}
    options |= {"crs": "EPSG:32633", "transform": rasterio.transform.from_origin(440720, 3751320, 0.5, 0.5)}
    with rasterio.open(path, "w", **({"driver": "GTiff"} | options)) as file:
        if colours:
            file.colorinterp = [ColorInterp.palette]
            file.write_colormap(1, {0: (0, 0, 0, 255), 1: (255, 0, 0, 255), 2: (0, 255, 0, 255)})
        file.write(bands)
        if overviews:
            file.build_overviews([2], rasterio.enums.Resampling.nearest)


def vips(path: Path, array: np.ndarray, **options: Any) -> None:
    pyvips.Image.new_from_array(array).write_to_file(str(path), **options)


def itk(path: Path, array: np.ndarray) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path), useCompression=True)


def masks(ids: np.ndarray) -> dict[tuple[str, str], tuple[str, Any]]:
    """By writer and what it writes: the extension, and what does it."""
    one, volume = ids == 1, np.stack([ids, np.roll(ids, 3, axis=1), ids])
    hard = one * np.uint8(255)
    return {
        ("tifffile", "bool"): (".tif", lambda p: tifffile.imwrite(p, one)),
        ("tifffile", "uint32 ids, deflate, predictor"): (
            ".tif",
            lambda p: tifffile.imwrite(p, ids.astype("u4"), compression="zlib", predictor=True),
        ),
        ("tifffile", "int16 ids, big-endian, BigTIFF"): (
            ".tif",
            lambda p: tifffile.imwrite(p, ids.astype(">i2"), byteorder=">", bigtiff=True),
        ),
        ("tifffile", "float32, LZW, predictor"): (
            ".tif",
            lambda p: tifffile.imwrite(p, one.astype("f4"), compression="lzw", predictor=True),
        ),
        ("tifffile", "ImageJ stack"): (
            ".tif",
            lambda p: tifffile.imwrite(p, volume.astype("u2"), imagej=True, metadata={"axes": "ZYX"}),
        ),
        ("tifffile", "OME stack, zstd"): (
            ".ome.tif",
            lambda p: tifffile.imwrite(p, volume.astype("u2"), ome=True, compression="zstd"),
        ),
        ("GDAL", "uint16 ids, LZW, tiles"): (
            ".tif",
            lambda p: gdal(p, ids.astype("u2"), compress="lzw", tiled=True, blockxsize=32, blockysize=32),
        ),
        ("GDAL", "ids of 4 bits"): (".tif", lambda p: gdal(p, ids, nbits=4)),
        ("GDAL", "ids of 2 bits, deflate"): (".tif", lambda p: gdal(p, ids, nbits=2, compress="deflate")),
        ("GDAL", "colour table, packbits"): (".tif", lambda p: gdal(p, ids, colours=True, compress="packbits")),
        ("GDAL", "nodata, big-endian"): (".tif", lambda p: gdal(p, ids.astype("u2"), nodata=9, endianness="big")),
        ("GDAL", "overviews"): (".tif", lambda p: gdal(p, ids.astype("u2"), overviews=True)),
        ("GDAL", "COG, float32, predictor 3"): (
            ".tif",
            lambda p: gdal(p, one.astype("f4"), driver="COG", compress="deflate", predictor="3"),
        ),
        ("GDAL", "mask and confidence as bands"): (
            ".tif",
            lambda p: gdal(p, np.stack([hard, np.arange(ids.size).reshape(ids.shape).astype("u1")])),
        ),
        ("GDAL", "PNG beside .aux.xml"): (".png", lambda p: gdal(p, hard, driver="PNG")),
        ("imageio", "bool"): (".tif", lambda p: imageio.imwrite(p, one)),
        ("imageio", "uint8"): (".tif", lambda p: imageio.imwrite(p, hard)),
        ("scikit-image", "int64 labels"): (
            ".tif",
            lambda p: skimage.io.imsave(p, ids.astype("i8"), check_contrast=False),
        ),
        ("scikit-image", "uint16 ids"): (
            ".png",
            lambda p: skimage.io.imsave(p, ids.astype("u2") * 300, check_contrast=False),
        ),
        ("libvips", "1 bit, 0 is white"): (".tif", lambda p: vips(p, hard, bitdepth=1, miniswhite=True)),
        ("libvips", "CCITT group 4"): (".tif", lambda p: vips(p, hard, bitdepth=1, compression="ccittfax4")),
        ("libvips", "pyramid, tiles"): (
            ".tif",
            lambda p: vips(p, hard, pyramid=True, tile=True, tile_width=32, tile_height=32),
        ),
        ("libvips", "uint32 ids, deflate"): (".tif", lambda p: vips(p, ids.astype("u4"), compression="deflate")),
        ("SimpleITK", "int32 labels"): (".tif", lambda p: itk(p, ids.astype("i4"))),
        ("SimpleITK", "volume of uint16"): (".tif", lambda p: itk(p, volume.astype("u2"))),
        ("OpenCV", "uint8"): (".tif", lambda p: cv2.imwrite(str(p), hard)),
        ("OpenCV", "float64"): (".tif", lambda p: cv2.imwrite(str(p), one.astype("f8"))),
        ("Pillow", "bilevel, group 4"): (".tif", lambda p: Image.fromarray(one).save(p, compression="group4")),
        ("Pillow", "int32 ids, LZW, resolution"): (
            ".tif",
            lambda p: Image.fromarray(ids.astype("i4")).save(p, compression="tiff_lzw", dpi=(300, 300)),
        ),
    }


def photographs(rgb: np.ndarray) -> dict[tuple[str, str], tuple[str, Any]]:
    """As `masks`, of a photograph (H, W, 3) uint8."""
    planes, wide = np.moveaxis(rgb, 2, 0), rgb.astype("u2") * 257
    covered = {"photometric": "ycbcr", "compress": "jpeg", "jpeg_quality": 98, "interleave": "pixel"}

    def internal_mask(path: Path) -> None:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            gdal(path, planes, **covered)
            with rasterio.open(path, "r+") as file:
                file.write_mask(np.full(rgb.shape[:2], 255, np.uint8))

    return {
        ("tifffile", "RGB of 16 bits in planes"): (
            ".tif",
            lambda p: tifffile.imwrite(p, np.moveaxis(wide, 2, 0), photometric="rgb", planarconfig="separate"),
        ),
        ("tifffile", "12 bits in 16"): (
            ".tif",
            lambda p: tifffile.imwrite(p, rgb.astype("u2") * 16, photometric="rgb"),
        ),
        ("GDAL", "JPEG in YCbCr with an internal mask"): (".tif", internal_mask),
        ("GDAL", "four bands of 16 bits, LZW"): (
            ".tif",
            lambda p: gdal(p, np.concatenate([planes, planes[:1]]).astype("u2") * 257, compress="lzw"),
        ),
        ("imageio", "RGB of 8 bits"): (".tif", lambda p: imageio.imwrite(p, rgb)),
        ("scikit-image", "floats from 0 to 1"): (
            ".tif",
            lambda p: skimage.io.imsave(p, (rgb / 255).astype("f4"), check_contrast=False),
        ),
        ("libvips", "JPEG in tiles"): (
            ".tif",
            lambda p: vips(p, rgb, compression="jpeg", Q=98, tile=True, tile_width=64, tile_height=64),
        ),
        ("SimpleITK", "RGB of 8 bits"): (
            ".tif",
            lambda p: sitk.WriteImage(sitk.GetImageFromArray(rgb, isVector=True), str(p)),
        ),
        ("OpenCV", "RGB of 16 bits"): (".png", lambda p: cv2.imwrite(str(p), wide[..., ::-1])),
        ("Pillow", "CMYK"): (".tif", lambda p: Image.fromarray(rgb).convert("CMYK").save(p)),
    }


READERS = {
    "tifffile": tifffile.imread,
    "GDAL": lambda p: rasterio.open(p).read().squeeze(),
    "imageio": imageio.imread,
    "scikit-image": skimage.io.imread,
    "libvips": lambda p: pyvips.Image.new_from_file(str(p)).numpy(),
    "SimpleITK": lambda p: sitk.GetArrayFromImage(sitk.ReadImage(str(p))),
    "OpenCV": lambda p: cv2.imread(str(p), cv2.IMREAD_UNCHANGED),
    "Pillow": lambda p: np.asarray(Image.open(p)),
}


def described(path: Path) -> dict[str, Any]:
    """What a TIFF says of how it is stored, in a form that JSON takes."""
    if not path.name.endswith(".tif"):
        return {}
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        kept = ("GeoDoubleParams", "ModelPixelScaleTag", "ModelTiepointTag", "GeoKeyDirectoryTag", "GDAL_NODATA")
        kept += ("ImageDescription", "XResolution", "YResolution", "ResolutionUnit", "Software", "ColorMap")
        return {
            "bits": page.bitspersample,
            "photometric": int(page.photometric),
            "compression": page.compression.name,
            "predictor": int(page.predictor),
            "tiled": page.is_tiled,
            "bands": page.samplesperpixel,
            "byteorder": file.byteorder,
            "big": file.is_bigtiff,
            "pages": sum(not int(each.subfiletype) & 5 for each in file.pages),
            "tags": {tag.name: str(np.asarray(tag.value).tolist()) for tag in page.tags if tag.name in kept},
        }


def read(writer: str, path: Path) -> dict[str, Any]:
    array = np.asarray(READERS[writer](path))
    hit = array.reshape(-1)[:: max(array.size // 100_000, 1)]
    same = {"dtype": array.dtype.name, "shape": list(array.shape), "values": sorted({float(v) for v in hit})[:9]}
    same["share"] = float((array > 0).mean())
    return same | described(path)


if __name__ == "__main__":
    task, folder = sys.argv[1], Path(sys.argv[2])
    if task == "write":
        found = []
        for name, all_files in (("ids", masks), ("rgb", photographs)):
            for number, ((writer, what), (suffix, write)) in enumerate(
                all_files(np.load(folder / f"{name}.npy")).items()
            ):
                file = f"{name}_{number}{suffix}"
                write(folder / file)
                found.append([writer, version(PACKAGES[writer]), what, file])
        print(json.dumps(found))
    else:
        asked = json.loads((folder / "asked.json").read_text())
        print(json.dumps([read(writer, folder / name) for writer, name in asked]))
