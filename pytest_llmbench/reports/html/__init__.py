"""The parts of the HTML report: views of the records, charts, packed texts, and the files of the page itself."""
