"""The workspace as a whole: the state of all APIs in one value, its clock and options, the file it is kept in."""
