"""Lists of people as others write them: CSV and .xlsx files, pasted text. Read and judged here, for every room."""
