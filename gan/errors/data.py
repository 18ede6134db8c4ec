"""English sentences about data sets, uploaded images and points."""

MESSAGES = {
    "data.unknown": (
        "There is no data set, folder or zip called “{name}”. Choose one of: {choices}, or give the path "
        "of a folder or .zip of images."
    ),
    "data.nowhere": (
        "There is no data set called “{name}”, and no folder or zip at “{place}”. Choose one of: "
        "{choices}, or correct the path."
    ),
    "data.damaged": (
        "The file “{file}” that comes with GANarium is missing or damaged. Restore it from a fresh copy of "
        "GANarium."
    ),
    "data.size": "Images of {size} pixels aren't supported. Choose a size from {smallest} to {largest}.",
    "data.channels": "Images have 1 channel (grey) or 3 (colour), not {channels}. Choose 1 or 3.",
    "data.room": (
        "These images would take {gigabytes} GB at {size} pixels. That is more than a quarter of the memory, "
        "and more than half of the {free} GB free on the disk. Choose a smaller size or fewer images."
    ),
    "data.offline": (
        "“{name}” could not be downloaded. Check the internet connection, or choose a data set that comes "
        "with GANarium."
    ),
    "data.quota": (
        "“{name}” could not be downloaded because Google Drive has reached its daily limit for it. Try "
        "again tomorrow, or choose another data set."
    ),
    "data.torchvision": (
        "“{name}” needs a working torchvision that fits the installed torch ({reason}). Install the "
        "matching pair, or choose a bundled set."
    ),
    "data.package": "“{name}” needs the Python package {package}. Install it with: pip install {package}",
    "data.cache": (
        "The folder “{folder}” for downloads can't be written ({reason}). Make room there, or set "
        "GANARIUM_CACHE to another folder."
    ),
    "data.download_damaged": (
        "The downloaded files of “{name}” can't be read. Delete the folder “{folder}” and try again."
    ),
    "data.no_picture": "This file is not a usable image. Choose a PNG, JPEG or WebP file of moderate size.",
    "data.not_pictures": (
        "“{path}” is neither a folder nor a zip of images. Give a folder or a .zip that holds PNG, JPEG or "
        "WebP files."
    ),
    "data.too_few": (
        "Training needs at least 2 usable images, and “{path}” has {usable} ({skipped} left "
        "out{examples}). Add PNG, JPEG or WebP files."
    ),
    "data.empty": (
        "“{path}” is empty, or holds only hidden files and system files. Give a folder or zip of PNG, JPEG "
        "or WebP files."
    ),
    "data.no_pictures": (
        "“{path}” holds no images, only other files{examples}. Export films and documents as PNG or JPEG "
        "images, and add those."
    ),
    "data.unread_kinds": (
        "The images in “{path}” can't be read{examples}. Export other formats as JPEG or PNG; pack all as "
        "an ordinary zip without password."
    ),
    "data.other_kinds": (
        "“{path}” holds {count} images in formats that can't be read: {kinds}. Export them as JPEG or PNG, "
        "and add those."
    ),
    "data.locked": "“{path}” needs a password, which can't be given here. Pack the images again without one.",
    "data.packing": (
        "The images in “{path}” are packed in a way that can't be read ({packing}). Pack them again as an "
        "ordinary zip (“Deflate”)."
    ),
    "data.damaged_zip": (
        "The zip “{path}” is cut off or damaged. Copy or download it again, or pack the images again."
    ),
    "data.multi_part": (
        "“{path}” is one of several parts of a zip. Unpack all of them together, and pack the images as "
        "one zip."
    ),
    "data.other_archive": (
        "“{path}” is packed as {kind}, which can't be opened here. Unpack it, and pack the images as a zip."
    ),
    "data.unreadable": "“{path}” can't be read ({reason}). Solve that, and try again.",
    "data.too_many": "“{path}” holds more than {limit} files. Split it, or keep only the images you want.",
    "data.too_large": (
        "The images in “{path}” take more than {gigabytes} GB. Make them smaller, or use fewer."
    ),
    "data.zip_bomb": (
        "“{path}” was refused: its file “{member}” unpacks to far more than an image should. Pack the "
        "images again without it."
    ),
    "data.nested": "“{path}” was refused: it contains the archive “{member}”. Pack the images themselves.",
    "data.leads_out": (
        "“{path}” was refused: “{member}” in it is a link, or leads out of the zip. Pack the images "
        "themselves, in plain folders."
    ),
    "points.unknown": "There is no set of points called “{name}”. Choose one of: {choices}, or give a file.",
    "points.kind": (
        "“{name}” is not a file of points. Give a .csv, .tsv or .txt file with two columns, or a .npy array."
    ),
    "points.unreadable": "“{name}” can't be read ({reason}). Solve that, and try again.",
    "points.too_large": "“{name}” has more than {megabytes} MB. Give a smaller file of points.",
    "points.too_many": (
        "“{name}” holds {count} points; at most {most} are allowed. Keep a random part of them."
    ),
    "points.too_few": "“{name}” holds {count} points, and training needs at least {least}. Add more rows.",
    "points.text": "“{name}” is not plain text in UTF-8. Save it as CSV with two columns.",
    "points.columns": (
        "Line {line} of “{name}” has {count} columns, and a point needs two: x and y. Correct it and try "
        "again."
    ),
    "points.number": (
        "Line {line} of “{name}” holds “{value}”, which is not a number. Correct it and try again."
    ),
    "points.not_finite": (
        "Point {place} of “{name}” is not finite or is too far away. Leave out NaN, infinity and numbers "
        "beyond {most}."
    ),
    "points.all_equal": (
        "All points of “{name}” lie at the same place, so there is nothing to learn. Give points that differ."
    ),
    "points.array": (
        "“{name}” is not a NumPy array of numbers with the shape (N, 2). Save it with numpy.save."
    ),
    "points.batch": (
        "A batch of {batch} points needs a set at least as large, and this one holds {count}. Choose a "
        "smaller batch."
    ),
    "points.gone": (
        "The file of points of this run is no longer at “{place}”. Put it back, or say where it is now: "
        "{command}"
    ),
    "points.changed": (
        "The points changed since this run began ({now}, were {were}). Put the old file back, or start a "
        "new run."
    ),
}
