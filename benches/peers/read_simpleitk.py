"""SimpleITK, which always scales: a series of int16 is float32 unless float64
is asked for."""

import SimpleITK
from server import Clock, boxes_of, serve

TYPES = {"float32": SimpleITK.sitkFloat32, "float64": SimpleITK.sitkFloat64}
SimpleITK.ProcessObject.GlobalWarningDisplayOff()


def array_of(image):
    """ITK's memory as it is: its axes are column-major."""
    return SimpleITK.GetArrayViewFromImage(image).T


def reader_of(file, args):
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("NiftiImageIO")
    reader.SetFileName(file)
    reader.SetOutputPixelType(TYPES.get(args.get("dtype"), SimpleITK.sitkUnknown))
    reader.ReadImageInformation()
    return reader


def open_work(file, args):
    times = int(args.get("times", 1))
    with Clock() as clock:
        for _ in range(times):
            reader_of(file, args)
    return clock.seconds / times, []


def whole(file, args):
    with Clock() as clock:
        image = reader_of(file, args).Execute()
    return clock.seconds, Images([image])


def slices(file, args):
    images = []
    boxes = boxes_of(args["boxes"])
    with Clock() as clock:
        reader = reader_of(file, args)
        for start, count in boxes:
            reader.SetExtractIndex(start)
            reader.SetExtractSize(count)
            images.append(reader.Execute())
    return clock.seconds, Images(images)


class Images:
    """Arrays of images, which have to live as long."""

    def __init__(self, images):
        self.images = images

    def __iter__(self):
        return (array_of(image) for image in self.images)


version = SimpleITK.Version.VersionString()
serve(f"SimpleITK {version}", {"open": open_work, "whole": whole, "slices": slices})
