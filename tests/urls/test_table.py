import doctest

import pytest

from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls import table
from scraper.urls.lines import LineSplitter
from scraper.urls.table import CsvReader

URL = "http://a.example/"


def read(text: str, **options) -> list[SourceLine]:
    splitter, reader = LineSplitter(), CsvReader("list.csv", **options)
    return reader.feed(splitter.feed(text.encode())) + reader.feed(splitter.finish()) + reader.finish()


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(table).failed == 0


@pytest.mark.parametrize("header", ["url", "URL", " Url ", '"url"'])
def test_url_column_is_found_by_its_name(header):
    assert read(f"id,{header}\n1, {URL} \n") == [SourceLine(URL, 2, {"id": "1"})]


def test_byte_order_mark_is_no_part_of_the_first_name():
    assert read(f"\ufeffurl,id\n{URL},1\n") == [SourceLine(URL, 2, {"id": "1"})]


def test_named_column_is_used_and_the_exact_name_comes_first():
    assert read(f"LINK,link,url\nx,{URL},y\n", url_column="link") == [SourceLine(URL, 2, {"LINK": "x", "url": "y"})]


def test_other_columns_are_texts_in_their_order():
    (record,) = read(f"b,url,a\n02,{URL},\n")
    assert list(record.extra.items()) == [("b", "02"), ("a", "")]


def test_list_of_urls_only_has_no_extra():
    assert read(f"url\n{URL}\n") == [SourceLine(URL, 2)]


def test_columns_are_known_once_the_header_is():
    reader = CsvReader("list.csv")
    assert reader.columns == ()
    reader.feed(LineSplitter().feed(b"id,url,,id\n"))
    assert reader.columns == ("id", "column_3", "id_2")


def test_blank_rows_are_no_records():
    assert read(f"\nid,url\n\n1,{URL}\n,\n") == [SourceLine(URL, 4, {"id": "1"})]


@pytest.mark.parametrize(
    ("row", "text", "error"),
    [
        (f"1,{URL},3,4", URL, "4 cells where the header has 3"),
        (f"1,{URL}", URL, "2 cells where the header has 3"),
        ("1", "", "1 cells where the header has 3"),
        ("1,,3", "", "no URL in column 'url'"),
        ("1, ,3", "", "no URL in column 'url'"),
    ],
)
def test_bad_row_is_a_bad_record_with_the_line_it_starts_at(row, text, error):
    found = read(f'id,url,x\n1,{URL},"a\nb"\n{row}\n2,{URL},c\n')
    assert [record.line for record in found] == [2, 4, 5]
    assert (found[1].text, found[1].error) == (text, error)
    assert (found[0].error, found[2].error) == (None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "list.csv is empty"),
        ("\n\n", "list.csv is empty"),
        (
            "id,link\n1,2\n",
            "list.csv has no column 'url'; its columns are: id, link. Name the right one with --url-column",
        ),
        (f"{URL}\n{URL}\n", "its first line is a URL and not a header"),
    ],
)
def test_list_without_the_column_is_refused(text, words):
    with pytest.raises(SourceError) as caught:
        read(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
