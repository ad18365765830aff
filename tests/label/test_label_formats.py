"""Labels out of the files of labelling programs, in the shapes in which those write them."""

import json
import os
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.label.label_files.reader import read_labels

IDS = ["cats/1.jpg", "cats/2.jpg", "dogs/1.jpg"]


@pytest.fixture
def read(tmp_path):
    def one(content, name="labels.json", **options):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_labels(path, IDS, **options)

    return one


def task(number, image, *annotations, **more):
    return {"id": number, "data": {"image": image}, "annotations": list(annotations)} | more


def annotation(*choices, by=1, question="label", **more):
    value = {"from_name": question, "to_name": "image", "type": "choices", "value": {"choices": list(choices)}}
    return {"completed_by": by, "result": [value]} | more


LABEL_STUDIO = [
    task(7, "/data/upload/1/1a2b3c4d-2.jpg", annotation("cat")),
    task(8, "/data/local-files/?d=dogs/1.jpg", annotation("dog")),
    task(9, "cats/1.jpg", annotation("cat", was_cancelled=True), predictions=[{"result": []}]),
]
COCO = {
    "images": [
        {"id": 1, "file_name": "1.jpg"},
        {"id": 5, "file_name": "/x/dogs/1.jpg"},
        {"id": 3, "file_name": "cats/2.jpg"},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 3, "category_id": 1, "bbox": [0, 0, 1, 1]},
        {"id": 2, "image_id": 3, "category_id": 2},
        {"id": 3, "image_id": 5, "category_id": 2},
    ],
}
VIA = {
    "k1": {"filename": "cats/2.jpg", "regions": [], "file_attributes": {"kind": "cat"}},
    "k2": {"filename": "dogs/1.jpg", "regions": [], "file_attributes": {"kind": {"dog": True, "cat": False}}},
    "k3": {"filename": "cats/1.jpg", "regions": [], "file_attributes": {"kind": ""}},
}
VIA_HEAD = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
FORMATS = {
    "Label Studio": LABEL_STUDIO,
    "Label Studio, in a cloud": [
        task(1, "https://example.org/x/cats/2.jpg?token=1", annotation("cat")),
        task(2, "s3://bucket/dogs/1.jpg", annotation("dog")),
    ],
    "Label Studio, short": [
        {"image": "cats/2.jpg", "id": 1, "choice": {"choices": ["cat", "tame"]}, "annotator": 1},
        {"image": "dogs/1.jpg", "id": 2, "choice": "dog", "annotator": 1},
    ],
    "COCO": COCO,
    "FiftyOne": {"classes": ["cat", "dog"], "labels": {"cats/2": 0, "dogs/1": 1, "cats/1": None}},
    "FiftyOne, boxes": {
        "classes": ["cat", "dog"],
        "labels": {"/a/cats/2.jpg": [{"label": 0, "bounding_box": [0, 0, 1, 1]}], "dogs/1": [{"label": "dog"}]},
    },
    "FiftyOne, samples": {
        "samples": [
            {"filepath": "/a/cats/2.jpg", "metadata": None, "ground_truth": {"_cls": "Classification", "label": "cat"}},
            {"filepath": "/a/dogs/1.jpg", "ground_truth": {"_cls": "Detections", "detections": [{"label": "dog"}]}},
            {"filepath": "/a/cats/1.jpg", "ground_truth": None},
        ]
    },
    "COCO, ids of either kind": COCO | {"categories": [{"id": "1", "name": "cat"}, {"id": "2", "name": "dog"}]},
    "COCO, panoptic": COCO
    | {
        "annotations": [
            {"image_id": 3, "segments_info": [{"category_id": 1}, {"category_id": 2}]},
            {"image_id": 5, "segments_info": [{"category_id": 2}]},
        ]
    },
    "FiftyOne, with confidences": {
        "classes": ["cat", "dog"],
        "labels": {"cats/2": {"label": 0, "confidence": 0.9}, "dogs/1": {"label": 1, "confidence": 0.2}},
    },
    "CreateML": [
        {"image": "cats/2.jpg", "annotations": [{"label": "cat", "coordinates": {}}, {"label": "dog"}]},
        {"image": "dogs/1.jpg", "annotations": [{"label": "dog"}]},
    ],
    "names by class": {"cat": ["cats/2.jpg"], "dog": ["dogs/1.jpg", "cats/2.jpg"]},
    "classes by name": {"cats/2.jpg": ["cat", "dog"], "dogs/1.jpg": ["dog"]},
    "VIA": {"_via_settings": {}, "_via_img_metadata": VIA},
    "VIA, annotations alone": VIA,
    "VIA, regions": {
        "a": {"filename": "cats/2.jpg", "file_attributes": {}, "regions": [{"region_attributes": {"name": "cat"}}]},
        "b": {
            "filename": "dogs/1.jpg",
            "file_attributes": {},
            "regions": {"0": {"region_attributes": {"name": "dog"}}},
        },
    },
    "VIA 3": {
        "project": {},
        "attribute": {"1": {"aname": "kind", "options": {"0": "cat", "1": "dog"}}},
        "file": {"1": {"fid": "1", "fname": "cats/2.jpg"}, "2": {"fid": "2", "fname": "dogs/1.jpg"}},
        "metadata": {"a": {"vid": "1", "xy": [], "av": {"1": "0"}}, "b": {"vid": "2", "xy": [], "av": {"1": "1"}}},
        "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": ["2"]}},
    },
    "VIA, CSV": VIA_HEAD
    + 'cats/2.jpg,1,"{""kind"":""cat""}",0,0,"{}","{}"\ndogs/1.jpg,1,"{""kind"":""dog""}",0,0,"{}","{}"\n',
    "VIA, CSV of regions": VIA_HEAD
    + 'cats/2.jpg,1,"{}",2,0,"{}","{""n"":""cat""}"\ncats/2.jpg,1,"{}",2,1,"{}","{""n"":""dog""}"\n'
    + 'dogs/1.jpg,1,"{}",1,0,"{}","{""n"":""dog""}"\n',
    "CVAT": '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
    '<meta><task><labels><label><name>cat</name></label></labels></task></meta><image id="0" name="cats/2.jpg">'
    '<tag label="cat" source="manual"></tag></image><image id="1" name="dogs/1.jpg"><box label="dog" xtl="1"/></image>'
    '<image id="2" name="cats/1.jpg"/></annotations>',
    "Label Studio, CSV": "annotation_id,annotator,choice,created_at,id,image,lead_time\n"
    '1,1,"{""choices"": [""cat"", ""shy""]}",2026,1,/data/upload/1/1a2b3c4d-2.jpg,3.1\n2,1,dog,2026,2,dogs/1.jpg,1.2\n',
}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_files_of_labelling_programs(read, kind):
    labels = read(FORMATS[kind], positive="cat").given
    assert list(labels.values()) == [{1: 1, 2: 0}]


def test_what_is_left_out_is_said(read):
    told = str(read(LABEL_STUDIO, positive="cat"))
    assert "skipped annotations, left out: 1" in told.casefold()
    assert "nothing but predictions of a model, which are not labels: 1" in told
    assert "without an annotation, which count as not labelled: 1" in str(read(COCO, positive="cat"))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (COCO | {"categories": [{"id": 1, "name": "cat"}]}, "annotation 2 is of category 2, which is none of its"),
        (COCO | {"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]}, "two of its categories have"),
        (COCO | {"images": [{"id": 3, "file_name": "1.jpg"}, *COCO["images"]]}, "two of its images have the id 3"),
        ({"classes": ["cat"], "labels": {"cats/2": 0, "dogs/1": 1}}, "a label is number 1 of its 1 classes"),
    ],
)
def test_numbers_that_mean_no_one_class_or_image_are_refused(read, changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(changed, positive="cat")


def test_annotations_of_images_that_coco_does_not_list_are_counted(read):
    told = str(read(COCO | {"images": COCO["images"][1:2]}, positive="dog"))
    assert "not in its list, left out: 1" in told


def places(value, path=()):
    """Yield where each part of a JSON value stands."""
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*path, key))


KINDS = [None, 3, True, "x", [], {}, [1], {"a": 1}, [None], {"": None}, ["x"], [["x"]], {"a": {"b": [1]}}, [{"a": [1]}]]
PLACES = [(kind, place) for kind, value in FORMATS.items() if not isinstance(value, str) for place in places(value)]


@settings(max_examples=150)
@given(st.sampled_from(PLACES), st.sampled_from(KINDS))
def test_a_part_of_another_kind_is_a_sentence_or_is_left_out(tmp_path_factory, part, odd):
    value = holder = {"": deepcopy(FORMATS[part[0]])}
    *above, last = ("", *part[1])
    for key in above:
        holder = holder[key]
    holder[last] = odd
    path = tmp_path_factory.getbasetemp() / "odd.json"
    path.write_text(json.dumps(value[""]))
    for options in ({}, {"positive": "cat"}):
        with suppress(ValueError):
            assert read_labels(path, IDS, **options).given


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            [{"id": 4, "data": "a.jpg", "annotations": []}],
            "the data of task 4 is 'a.jpg', where a JSON object",
        ),
        ([{"id": 4, "data": {}, "annotations": 5}], "the annotations of task 4 is 5, where a list belongs"),
        (COCO | {"images": [7]}, "entry 1 of images is 7, where a JSON object"),
        ({"shapes": "none", "imagePath": "1.jpg"}, "its list of shapes is 'none', where a list belongs"),
        (
            {"samples": [{"gt": {"_cls": "x", "label": ["cat"]}}]},
            "of sample 1 is .'cat'., where a word belongs",
        ),
        ({"labels": {"cats/1": json.loads("[" * 600 + "]" * 600)}}, "entry 1 is .*, where a word belongs"),
    ],
)
def test_what_is_of_another_kind_is_named_with_its_place(read, value, sentence):
    with pytest.raises(ValueError, match=rf"labels\.json: .*{sentence}.*\. Nothing was taken"):
        read(value)


def test_numbers_and_answers_are_names_where_a_format_has_classes(read):
    """Class 0 of a detector is no "negative", and a class called "no" no answer."""
    for classes in (["0", "1"], ["no", "yes"]):
        with pytest.raises(ValueError, match="is not an answer"):
            read({"classes": classes, "labels": {"cats/1": 0, "cats/2": 1}})


def test_people_and_questions_of_label_studio_are_kept_apart(read):
    tasks = deepcopy(LABEL_STUDIO)
    tasks[0]["annotations"].append(annotation("dog", by={"email": "bob@example.org"}))
    assert read(tasks, positive="cat").given == {"1": {1: 1, 2: 0}, "bob@example.org": {1: 0}}
    tasks[0]["annotations"][1]["completed_by"] = 1
    with pytest.raises(ValueError, match=r"task 7 calls .* positive and task 7 calls it negative \(both by 1\)"):
        read(tasks, positive="cat")
    tasks[0]["annotations"][1]["result"][0]["from_name"] = "colour"
    with pytest.raises(ValueError, match=r"several questions \(colour, label\)"):
        read(tasks, positive="cat")
    assert read(tasks, positive="cat", label="label").given == {"1": {1: 1, 2: 0}}


def test_several_attributes_of_via_are_named(read):
    several = deepcopy(VIA)
    several["k1"]["file_attributes"]["quality"] = "good"
    with pytest.raises(ValueError, match=r"several attributes \(kind, quality\)"):
        read(several, positive="cat")
    assert read(several, positive="cat", label="kind").given == {None: {1: 1, 2: 0}}


ENTRY = {"filename": "cats/2.jpg", "regions": [], "file_attributes": {"kind": "cat"}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            VIA_HEAD + 'cats/2.jpg,1,"[""cat""]",0,0,"{}","{}"\n',
            r"line 2: the JSON of its attributes is \['cat'\], where a JSON object",
        ),
        (VIA_HEAD + 'cats/2.jpg,1,"{}",1,0,"{}","7"\n', "line 2: the JSON of its attributes is 7, where a JSON object"),
        ({"k": ENTRY, "l": ENTRY | {"file_attributes": "cat"}}, "attributes of entry 2 is 'cat', where a JSON object"),
        ({"k": ENTRY | {"regions": ["cat"]}}, "entry 1 of regions of entry 1 is 'cat', where a JSON object"),
        (
            {"k": ENTRY | {"regions": [{}, {"region_attributes": ["cat"]}]}},
            r"attributes of region 2 of entry 1 is \['cat'\], where a JSON object",
        ),
    ],
)
def test_attributes_of_via_that_are_no_object_are_named_with_their_place(read, content, said):
    with pytest.raises(ValueError, match=said):
        read(content, name="labels.csv" if isinstance(content, str) else "labels.json", positive="cat")


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
    ],
)
def test_xml_that_declares_entities_is_refused(read, head):
    body = '<annotations><image name="cats/1.jpg"><tag label="&x;"/></image></annotations>'
    with pytest.raises(ValueError, match="declares a document type; that is refused"):
        read(f'<?xml version="1.0"?>{head}{body}', name="labels.xml")


def tree(folder, **files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_yolo_text_files(tmp_path):
    lines = {"labels/cats/1.txt": "0 .1 .1 .1 .1\n1 .1 .1 .1 .1\n", "labels/dogs/1.txt": "1 .1 .2 .3 .4\n"}
    folder = tree(tmp_path, **lines, **{"labels/cats/2.txt": ""})
    assert read_labels(folder, IDS, positive=0).given == {None: {0: 1, 1: 0, 2: 0}}
    tree(folder, **{"classes.txt": "cat\ndog\n"})
    assert read_labels(folder, IDS, positive="cat").given == {None: {0: 1, 1: 0, 2: 0}}


@pytest.mark.parametrize(
    ("labels", "images"),
    [("labels", ""), ("labels", "images"), ("train/labels", "train/images"), ("ds/train/labels", "ds/train/images")],
)
def test_yolo_beside_its_images_and_notes_to_read(tmp_path, labels, images):
    folder = tree(
        tmp_path,
        **{"README.txt": "Two classes.\n", f"{labels}/a.TXT": "0 .1 .1 .1 .1\n"},
        **{f"{labels}/b.txt": "1 .1 .1 .1 .1\n", "data.yaml": "names: {0: cat, 1: 'dog, wild'}\n"},
    )
    ids = [str(Path(images, name)) for name in ("a.jpg", "b.jpg")]
    assert read_labels(folder, ids, positive="cat").given == {None: {0: 1, 1: 0}}
    assert read_labels(folder, ids, positive="dog, wild").given == {None: {0: 0, 1: 1}}


def test_a_damaged_list_of_classes_is_named(tmp_path):
    folder = tree(tmp_path, **{"a.txt": "0 .1 .1 .1 .1\n"})
    (folder / "classes.txt").write_bytes(b"\xef\xbb\xbfcat\nd\xe4g\n")
    with pytest.raises(ValueError, match=r"classes\.txt: line 2 has a damaged letter"):
        read_labels(folder, IDS, positive="cat")


def test_yolo_with_a_class_that_its_list_does_not_name_is_refused(tmp_path):
    folder = tree(tmp_path, **{"classes.txt": "cat\n", "a.txt": "0 .1 .1 .1 .1\n", "b.txt": "3 .1 .1 .1 .1\n"})
    with pytest.raises(ValueError, match=r"b.txt has the class 3, and classes.txt names 0 cat"):
        read_labels(folder, ["a.jpg", "b.jpg"], positive="cat")


@pytest.mark.parametrize("odd", ["hello world\n", "0 .1 .1\n", "cat .1 .1 .1 .1\n", "\ud800 .1 .1 .1 .1\n"])
def test_a_text_among_many_of_yolo_that_is_none_is_named(tmp_path, odd):
    """The first twenty tell what the folder is; what is wrong after them is said with its place."""
    folder = tree(tmp_path, **{f"labels/{i:02}.txt": "0 .1 .1 .1 .1\n" for i in range(20)})
    (folder / "labels" / "20.txt").write_bytes(odd.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match=r"labels/20\.txt is not a YOLO text file, as those before it are: each line"):
        read_labels(folder, [f"{i:02}.jpg" for i in range(21)], positive=0)


@pytest.mark.parametrize("split", ["", "Train/", "testing/", "ds/val/"])
def test_classes_may_be_below_a_part_of_a_data_set(tmp_path, split):
    folder = tree(tmp_path, **{f"{split}positive/2.jpg": "", f"{split}negative/dogs/1.jpg": ""})
    assert read_labels(folder, IDS).given == {None: {1: 1, 2: 0}}


def test_classes_and_pictures_may_be_links_to_what_was_moved(tmp_path):
    elsewhere = tree(tmp_path / "elsewhere", **{"1.jpg": ""})
    folder = tree(tmp_path / "sorted", **{"negative/dogs/1.jpg": ""})
    (folder / "positive").symlink_to(elsewhere)
    (folder / "negative" / "cats-2.jpg").symlink_to(tmp_path / "gone" / "cats" / "2.jpg")
    (folder / "negative" / "again").symlink_to(folder)
    assert read_labels(folder, ["cats/2.jpg", "dogs/1.jpg", "elsewhere/1.jpg"]).given == {None: {0: 0, 1: 0, 2: 1}}


def test_a_folder_holds_names_that_are_no_utf_8_as_the_pool_does(tmp_path):
    (tmp_path / "positive").mkdir()
    (tmp_path / "positive" / os.fsdecode(b"caf\xe9.jpg")).touch()
    found = read_labels(tmp_path, ["caf\\xe9.jpg"])
    assert (found.given, str(found).isprintable()) == ({None: {0: 1}}, True)


def test_a_folder_a_class(tmp_path):
    sorted_copies = tree(tmp_path / "a", **{"positive/2.jpg": "", "negative/dogs/1.jpg": "", ".hidden/1.jpg": ""})
    assert read_labels(sorted_copies, IDS).given == {None: {1: 1, 2: 0}}
    same_folder = tree(tmp_path / "b", **{"train/cats/1.jpg": "", "val/dogs/1.jpg": "", "readme.md": ""})
    found = read_labels(same_folder, IDS, positive="cats")
    assert found.given == {None: {0: 1, 2: 0}}
    assert "left out: 1" in str(found)
    with pytest.raises(ValueError, match="folder without files"):
        read_labels(tree(tmp_path / "c") if (tmp_path / "c").mkdir() else tmp_path / "c", IDS)


def test_a_flat_folder_is_a_list_of_names(tmp_path):
    folder = tree(tmp_path / "picked", **{"2.jpg": ""})
    with pytest.raises(ValueError, match="every='positive'"):
        read_labels(folder, IDS)
    assert read_labels(folder, IDS, every="positive").given == {None: {1: 1}}


VOC = "<annotation><filename>{}</filename>{}</annotation>"


def test_files_of_an_image_each(tmp_path):
    """As Pascal VOC and Labelme write them; a file that marks nothing says that nothing is there."""
    for name, words in (("2.jpg", ["cat", "dog"]), ("cats/1.jpg", []), ("dogs/1.jpg", ["dog"])):
        stem = name.replace("/", "-").removesuffix(".jpg")
        objects = "".join(f"<object><name>{word}</name><part><name>paw</name></part></object>" for word in words)
        shapes = {
            "imagePath": f"..\\{name}",
            "shapes": [{"label": word} for word in words],
            "flags": {"old": True},
        }
        for folder, content in (("xml", VOC.format(name, objects)), ("json", json.dumps(shapes))):
            (tmp_path / folder / "Annotations").mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "Annotations" / f"{stem}.{folder}").write_text(content)
    for folder in ("xml", "json"):
        for path in (tmp_path / folder, tmp_path / folder / "Annotations"):
            assert read_labels(path, IDS, positive="cat").given == {None: {0: 0, 1: 1, 2: 0}}
        (one,) = (tmp_path / folder).rglob(f"dogs-1.{folder}")
        assert read_labels(one, IDS, positive="dog").given == {None: {2: 1}}


@pytest.mark.parametrize(
    "named",
    [
        "names: {0: cat, 1: 'dog'}\n",
        "names: ['cat', dog]\n",
        "names:\n- cat\n- dog\n",
        "nc: 2\nnames:\n  0: cat # tame\n  1: dog\ntrain: x\n",
    ],
)
def test_yolo_takes_its_classes_from_data_yaml(tmp_path, named):
    (tmp_path / "labels" / "cats").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text(f"train: images\n{named}")
    (tmp_path / "labels" / "cats" / "1.txt").write_text("0 .5 .5 1 1\n1 .5 .5 1 1\n")
    (tmp_path / "labels" / "cats" / "2.txt").write_text("1 .5 .5 1 1\n")
    assert read_labels(tmp_path, IDS, positive="cat").given == {None: {0: 1, 1: 0}}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"detection_categories": {"1": "animal"}, "images": []}', "what a model thinks"),
        ("<annotations><track label='cat'><box frame='0'/></track></annotations>", "of a video"),
    ],
)
def test_what_holds_no_labels_of_images_says_so(read, content, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(content)


def test_xml_may_be_utf16(tmp_path):
    images = '<annotations><image name="dogs/1.jpg"><tag label="dog"/></image></annotations>'
    (tmp_path / "a.xml").write_text(f'<?xml version="1.0" encoding="utf-16"?>{images}', encoding="utf-16")
    assert read_labels(tmp_path / "a.xml", IDS, positive="dog").given == {None: {2: 1}}
