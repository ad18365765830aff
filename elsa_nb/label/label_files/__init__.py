"""Earlier labels out of files of other people and programs: what they say about the items of a pool.

`reader.read_labels` is the way in: `formats` looks at the bytes and hands them to the module that knows the format, and
the reader turns names into rows (`names`) and words into labels (`words`). A format is a function that returns a
`lines.Reading`: `tables`, `drawn`, `columns`, `cells`, `name_lists`, `in_order` (CSV, Parquet, Excel, lists), `tasks`
and `via` (the JSON of labelling programs, whose `parts` are checked), `xml_files` and `folders` (one folder per class,
YOLO, links).
"""
