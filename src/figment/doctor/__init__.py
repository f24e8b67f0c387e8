"""The doctor: names what is wrong with a run or with data, how sure that is, and what to do."""
