"""One module per table: typed values go in, queries ready to run come out."""
