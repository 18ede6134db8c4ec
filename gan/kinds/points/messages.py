"""What can be wrong with a set of points or with a setting, in one sentence each.

`PointsError` is a UserError whose sentences stand here. Sentences in Chinese stand in CHINESE, under the same
keys.
"""

from gan.errors import UserError

MESSAGES = {
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
    "points.penalty_loss": (
        "The penalty wgan_gp belongs to the Wasserstein loss, not to “{loss}”. Choose another penalty or "
        "loss."
    ),
    "points.unknown_recipe": "There is no recipe for points called “{name}”. Choose one of: {choices}.",
    "points.unknown_field": "There is no setting for points called “{name}”.",
    "points.other_version": (
        "These settings of points were written by another version of GANarium (they differ in: {fields}). "
        "Start a new run."
    ),
}

CHINESE = {
    "points.unknown": "没有名为“{name}”的点集。请从以下选择：{choices}，或提供一个文件。",
    "points.kind": "“{name}”不是点文件。请提供两列的 .csv、.tsv 或 .txt 文件，或 .npy 数组。",
    "points.unreadable": "无法读取“{name}”（{reason}）。请解决后重试。",
    "points.too_large": "“{name}”超过 {megabytes} MB。请提供更小的点文件。",
    "points.too_many": "“{name}”含有 {count} 个点，最多允许 {most} 个。请随机保留一部分。",
    "points.too_few": "“{name}”含有 {count} 个点，训练至少需要 {least} 个。请增加行数。",
    "points.text": "“{name}”不是 UTF-8 纯文本。请存为两列的 CSV。",
    "points.columns": "“{name}”第 {line} 行有 {count} 列，而一个点需要两列：x 和 y。请更正后重试。",
    "points.number": "“{name}”第 {line} 行的“{value}”不是数字。请更正后重试。",
    "points.not_finite": "“{name}”的第 {place} 个点不是有限数或过远。请去掉 NaN、无穷大以及超过 {most} 的数。",
    "points.all_equal": "“{name}”的所有点都在同一位置，没有可学习的内容。请提供不同的点。",
    "points.array": "“{name}”不是形状为 (N, 2) 的 NumPy 数值数组。请用 numpy.save 保存。",
    "points.batch": "每批 {batch} 个点需要至少同样多的点，而此点集只有 {count} 个。请选择更小的批量。",
    "points.penalty_loss": "惩罚项 wgan_gp 属于 Wasserstein 损失，不适用于“{loss}”。请选择其他惩罚项或损失。",
    "points.unknown_recipe": "没有名为“{name}”的点集配方。请从以下选择：{choices}。",
    "points.unknown_field": "点集没有名为“{name}”的设置。",
    "points.other_version": "这些点集设置由另一版本的 GANarium 写成（不同之处：{fields}）。请开始新的训练。",
}


class PointsError(UserError):
    """A correctable mistake about points: `key` names a sentence of MESSAGES, `values` fill its gaps."""

    def __init__(self, key: str, **values: object):
        Exception.__init__(self, MESSAGES[key].format(**values))
        self.key, self.values = key, values
