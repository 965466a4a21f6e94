"""The forms in which traces are published, told by what a file holds and not by its name.

Rows come from text of three kinds: `csv_rows`, `json_rows` (an object a line) and `log_rows` (what web servers write);
`rows` opens the file and picks one. A `Form` then says what the columns mean: `requests` for files with one row for
each request, `rates` for samples, `known` is the list of both. `prometheus` reads the answer of a range query.
"""
