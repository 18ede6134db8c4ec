"""Test names in zips without a code page: those that Windows, old Macs and Java write."""

import random
import struct
import unicodedata
import zipfile
import zlib

import pytest

from gan import data
from gan.data.own import zip_names
from tests.support.inputs.zips import make_folder, make_zip, picture

WORDS = {
    "gb18030": (
        "猫 狗 小狗 鸟 鱼 马 牛 苹果 香蕉 橘子 汽车 飞机 训练 测试 正常 异常 玫瑰 向日葵 郁金香 男 女 "
        "老虎 狮子 大象 熊猫 长颈鹿 斑马 兔子 风景 人像 建筑 街道 红色 蓝色 圆形 三角形 高兴 悲伤 晴天 "
        "雨天 划痕 裂纹 良品 次品 松鼠 刺猬 鹦鹉 孔雀 垃圾 厨余 塑料 口罩 火焰 楷书 草书 山水画 水墨"
    ),
    "cp932": (
        "猫 犬 ネコ イヌ ねこ いぬ 鳥 魚 馬 花 桜 りんご バナナ 車 飛行機 学習 検証 正常 異常 男 女 風景 "
        "建物 赤 青 ライオン トラ パンダ キリン うさぎ 猿 写真 良品 不良品 笑顔 怒り 晴れ 雨 雪 表情 "
        "ソファ 机 椅子 能面 予測 漢字 あ い う ア イ ウ"
    ),
    "cp949": (
        "고양이 개 강아지 새 말 소 돼지 물고기 꽃 나무 사과 바나나 자동차 비행기 학습 훈련 정상 불량 "
        "남자 여자 사람 얼굴 사자 호랑이 코끼리 기린 토끼 장미 해바라기 풍경 빨강 파랑 행복 슬픔 맑음 "
        "흐림 비 눈 펭귄 햄스터 앵무새 다람쥐 뱀 곰 여우 늑대 딸기 포도 수박 김치"
    ),
    "cp950": (
        "貓 狗 小貓 鳥 魚 蘋果 香蕉 橘子 汽車 飛機 訓練 測試 驗證 正常 異常 玫瑰 向日葵 男 女 老虎 獅子 "
        "大象 熊貓 長頸鹿 猴子 兔子 風景 建築 紅色 藍色 高興 悲傷 晴天 圖片 良品 蝴蝶 花 樹 功能 許願"
    ),
    "cp866": (
        "кошки собаки кот пёс птицы рыбы лошади цветы деревья машины самолёты обучение проверка норма "
        "брак мужчины лица пейзажи красный зелёный яблоки груши лев тигр слон заяц лиса медведь зима "
        "лето Кошки Собаки КОТЫ роза ромашка картинки дом лес море"
    ),
    "cp437": (
        "Äpfel Bäume Vögel Hühner Füchse Löwen Bär Kühe écureuils éléphants chèvres pâtes bébés forêt "
        "été café niño león pájaros árboles Mädchen grün weiß Straße Häuser Käse Größe Gemüse garçons "
        "français façade âne île gâteau"
    ),
    "cp850": ("Äpfel maçãs Pães cão leão avião limão coração Öl Århus blåbær grønn rød øl São"),
    "cp1252": (
        "Äpfel Bäume Vögel écureuils éléphants chèvres forêt león Mädchen grün maçãs cão leão avião "
        "blåbær rød fenêtre"
    ),
    "cp1251": ("кошки собаки цветы деревья машины обучение яблоки медведь картинки"),
    "cp737": ("γάτα σκύλος ψάρια λουλούδια δέντρα γάτες σκύλοι"),
}
PAIRS = [
    ("猫", "狗", "gbk", "GBK"),
    ("ネコ", "イヌ", "cp932", "Shift-JIS"),
    ("고양이", "개", "cp949", "CP949"),
    ("貓咪", "狗", "cp950", "Big5"),
    ("кошки", "собаки", "cp866", "CP866"),
    ("Äpfel", "Birnen", "cp437", "CP437"),
    ("chats", "écureuils", "cp1252", "Windows-1252"),
    ("表", "ソファ", "cp932", "Shift-JIS"),
]
# The last two have letters whose second byte is a backslash.


def of_two(first: str, second: str) -> dict[str, bytes]:
    return {
        f"{name}/{k}.png": picture(colour)
        for name, colour in ((first, "red"), (second, "blue"))
        for k in range(3)
    }


def guessed(words, codec: str) -> bool:
    raw = [word.encode(codec) for word in words]
    return [zip_names.guess(raw)[1](one) for one in raw] == list(words)


@pytest.mark.parametrize(("first", "second", "codec", "read_as"), PAIRS)
@pytest.mark.parametrize("system", [0, 3])
def test_classes_have_the_names_that_somebody_gave_them(tmp_path, first, second, codec, read_as, system):
    found = data.load(make_zip(tmp_path / "a.zip", of_two(first, second), codec, system), size=8)
    assert found.report.classes == tuple(sorted([(first, 3), (second, 3)]))
    assert found.report.names_read_as == read_as
    for image, label in zip(found.images, found.labels.tolist(), strict=True):
        assert image[0].float().mean() == (255 if found.classes[label] == first else 0), (
            "and each member is still read by its own bytes"
        )


@pytest.mark.parametrize(
    ("codec", "least"),
    [
        ("gb18030", 0.93),
        ("cp932", 0.97),
        ("cp949", 0.95),
        ("cp950", 0.93),
        ("cp866", 1),
        ("cp437", 1),
        ("cp850", 1),
        ("cp1252", 0.9),
        ("cp1251", 1),
        ("cp737", 1),
    ],
)
def test_code_pages_are_told_apart(codec, least):
    """One name nearly always tells the code page, where it can at all. Five names always do."""
    words, draw = WORDS[codec].split(), random.Random(0)
    assert sum(guessed([word], codec) for word in words) >= least * len(words)
    pairs = [draw.sample(words, 2) for _ in range(100)]
    assert sum(guessed(pair, codec) for pair in pairs) >= 98
    assert all(guessed(draw.sample(words, 5), codec) for _ in range(50))


GREEK, TURKISH, CENTRAL, HEBREW, ARABIC, THAI = (
    "γάτα σκύλος ψάρια λουλούδια δέντρα γάτες Μήλο άλογο πουλιά σπίτι αυτοκίνητα θάλασσα Εκπαίδευση δοκιμή",
    (
        "ağaç kuş çiçek köpek İstanbul balık çilek güneş yıldız kuşlar kırmızı yeşil sarı eğitim doğru "
        "yanlış şehir üzüm"
    ),
    (
        "kočka ptáček kůň jabłko szőlő źrebię Łódź mačka žába růže květiny červená gołąb róża zwykły körte "
        "kígyó virág ősz żółty včela"
    ),
    "חתול כלב ציפור דג פרח מכונית בית תפוח אדום כחול",
    "قط كلب طائر سمكة زهرة شجرة سيارة بيت بحر تفاح أحمر أزرق",
    (
        "แมว สุนัข หมา นก ปลา ดอกไม้ ต้นไม้ รถยนต์ บ้าน แอปเปิ้ล สีแดง สีน้ำเงิน ม้า ช้าง เสือ กล้วย คน ผู้ชาย "
        "ผู้หญิง ทะเล ภูเขา ท้องฟ้า อาหาร เครื่องบิน กุหลาบ ปกติ ผิดปกติ ฝึก ทดสอบ เด็ก "
        "โต๊ะ ตุ๊กตา กระเป๋า เก้าอี้ ดอกกุหลาบ"
    ),
)


@pytest.mark.parametrize(("words", "codec", "least"), [
    (GREEK, "cp737", 95), (GREEK, "cp1253", 95), (TURKISH, "cp857", 90), (TURKISH, "cp1254", 95),
    (CENTRAL, "cp852", 85), (CENTRAL, "cp1250", 70),
    (HEBREW, "cp862", 85), (HEBREW, "cp1255", 70), (ARABIC, "cp1256", 90), (ARABIC, "cp720", 70),
    (THAI, "cp874", 95),
])  # fmt: skip
def test_rarer_code_pages_are_told_by_a_few_names(words, codec, least):
    """Two names mostly tell the code page, five always. A single word may belong to several languages."""
    draw, words = random.Random(0), [word for word in words.split() if not word.isascii()]
    assert sum(guessed(draw.sample(words, 2), codec) for _ in range(100)) >= least
    assert all(guessed(draw.sample(words, 5), codec) for _ in range(50))


def test_letters_of_half_width_are_told_by_several_names():
    assert guessed(["ﾗｲｵﾝ", "ﾈｺ", "ｲﾇ", "ｼｬｼﾝ", "ﾊﾞﾅﾅ", "ｸﾙﾏ"], "cp932")


def test_one_damaged_name_does_not_spoil_the_others():
    raw = [name.encode("gbk") for name in ("猫/一.png", "狗/二.png", "花/三.png")] + [
        "花".encode("gbk")[:1] + b"/4.png"
    ]
    read_as, decode = zip_names.guess(raw)
    assert (read_as, [decode(name) for name in raw[:3]]) == ("GBK", ["猫/一.png", "狗/二.png", "花/三.png"])


def test_utf8_is_taken_as_it_is_with_or_without_the_flag(tmp_path):
    found = data.load(make_zip(tmp_path / "a.zip", of_two("猫", "狗")), size=8)
    assert (found.classes, found.report.names_read_as) == (("狗", "猫"), "UTF-8")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, content in of_two("猫", "狗").items():
            archive.writestr(name, content)
    found = data.load(str(tmp_path / "b.zip"), size=8)
    assert (found.classes, found.report.names_read_as) == (("狗", "猫"), "")
    assert data.load(make_zip(tmp_path / "c.zip", of_two("cat", "dog")), size=8).report.names_read_as == ""


@pytest.mark.parametrize(
    ("codec", "names"),
    [("gbk", "猫 dog"), ("gbk", "猫"), ("gbk", "帽 cat"), ("gbk", "女 man"), ("gbk", "猫 帽")],
)
def test_names_that_happen_to_be_utf8_are_read_as_what_is_likelier(tmp_path, codec, names):
    """The bytes C3 A8 are 猫 in GBK and è in UTF-8."""
    names = names.split()
    assert all(name.encode(codec).decode("utf-8") for name in names)
    members = {f"{name}/{k}.png": picture() for name in [*names, "other"] for k in range(2)}
    assert data.load(make_zip(tmp_path / "a.zip", members, codec), size=8).classes == tuple(
        sorted([*names, "other"])
    )


@pytest.mark.parametrize("names", [
    "é", "à", "ü", "ä", "ó", "n ñ o", "e è é", "å ä ö", "Ä Ö Ü", "ñandú", "Äpfel", "chats écureuils", "mère",
    "rivière", "où", "là", "été", "ptáček kůň",
    "Łódź", "ağaç kuş", "İstanbul", "kaķis", "mèo chó", "кот", "на", "я", "Ж М", "γάτα", "חתול", "قط", "แมว",
    "猫", "猫 dog",
    "あ", "犬", "고양이", "개", "बिल्ली", "🐱",
    unicodedata.normalize("NFD", "Mäuse"),
])  # fmt: skip
def test_utf8_without_the_flag_stays_that(tmp_path, names):
    names = [*names.split(), "other"]
    read, read_as = zip_names.read_names(
        zipfile.ZipFile(make_zip(tmp_path / "a.zip", {f"{name}/1.png": b"" for name in names})).infolist()
    )
    assert (read, read_as) == ([f"{name}/1.png" for name in names], "UTF-8")


def test_a_mac_and_another_machine_name_the_same_class(tmp_path):
    """A Mac writes é as e and an accent."""
    mac, other = unicodedata.normalize("NFD", "éléphants"), unicodedata.normalize("NFC", "éléphants")
    assert mac != other
    members = {f"{name}/{k}.png": picture() for k, name in enumerate((mac, other, "chats", "chats"))}
    assert data.load(make_zip(tmp_path / "a.zip", members), size=8).report.classes == (
        ("chats", 2),
        (other, 2),
    )


def unicode_path(raw: bytes, name: str, wrong: int = 0) -> bytes:
    body = struct.pack("<BI", 1, zlib.crc32(raw) ^ wrong) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def test_the_unicode_path_field_says_what_the_name_is(tmp_path):
    """No guess could read “猫” and “狗” that were written as ? and !.

    A field that belongs to another name does not help.
    """
    members = [(b"\xfe?" + f"/{k}.png".encode(), picture()) for k in range(2)] + [
        (b"\xfe!" + f"/{k}.png".encode(), picture()) for k in range(2)
    ]
    say = lambda raw, _: unicode_path(raw, ("猫" if b"?" in raw else "狗") + raw[2:].decode())  # noqa: E731
    assert data.load(make_zip(tmp_path / "a.zip", members, extra=say), size=8).classes == ("狗", "猫")
    lie = lambda raw, _: unicode_path(raw, "x/y.png", wrong=1)  # noqa: E731
    assert data.load(make_zip(tmp_path / "b.zip", of_two("猫", "狗"), "gbk", extra=lie), size=8).classes == (
        "狗",
        "猫",
    )


def test_a_member_named_in_another_way_before_its_bytes_is_read(tmp_path):
    path = make_zip(tmp_path / "a.zip", of_two("cat", "dog"))
    whole = (tmp_path / "a.zip").read_bytes()
    start = whole.index(b"PK\x01\x02")
    (tmp_path / "a.zip").write_bytes(whole[:start].replace(b"cat/", b"cat\\") + whole[start:])
    assert data.load(path, size=8).report.classes == (("cat", 3), ("dog", 3))


def test_folders_unpacked_with_names_of_another_code_page(tmp_path):
    for name in ("猫", "狗"):
        folder = tmp_path.joinpath("in").as_posix().encode() + b"/" + name.encode("gbk")
        make_folder(tmp_path / "in", {f"x{name}/1.png": picture()})
        (tmp_path / "in" / f"x{name}").rename(folder.decode("utf-8", "surrogateescape"))
    assert data.load(str(tmp_path / "in"), size=8).classes == ("狗", "猫")


@pytest.mark.parametrize("system", [0, 3])
def test_backslashes_separate_folders(tmp_path, system):
    members = {f"pets\\{kind}\\{k}.png": picture() for kind in ("cat", "dog") for k in range(2)}
    members |= {"pets\\.hidden.png": b"", "__MACOSX\\pets\\._0.png": b"x", "pets\\dog\\Thumbs.db": b"x"}
    report = data.load(make_zip(tmp_path / "a.zip", members, system=system), size=8).report
    assert (report.classes, report.left_out) == ((("cat", 2), ("dog", 2)), ())


def test_backslashes_of_windows_beside_slashes(tmp_path):
    """Some packers write folders with one kind of slash and files with the other."""
    members = {
        "cat/": b"",
        "dog/": b"",
        **{f"{kind}\\{k}.png": picture() for kind in ("cat", "dog") for k in range(2)},
    }
    assert data.load(make_zip(tmp_path / "a.zip", members, system=0), size=8).classes == ("cat", "dog")
    assert data.load(make_zip(tmp_path / "b.zip", members, system=3), size=8).classes == ("cat", "dog")
    below = {f"pets/{name}": content for name, content in members.items() if content}
    below["pets/list.txt"] = b"cat, dog"
    assert data.load(make_zip(tmp_path / "c.zip", below, system=3), size=8).classes == ("cat", "dog")


def test_on_a_unix_a_name_may_have_a_backslash(tmp_path):
    members = {f"{kind}/{k}.png": picture() for kind in ("live", "studio") for k in range(2)}
    members["live/AC\\DC.png"] = picture()
    report = data.load(make_zip(tmp_path / "a.zip", members, system=3), size=8).report
    assert report.classes == (("live", 3), ("studio", 2))
