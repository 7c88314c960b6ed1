"""The auditor's questions: what to look for, and what the views say once it is folded. One question a file.

A question that names something is an inquiry of indexes; one about absence reads the views of a full pass. Either way
the answer is plain data made from `Seen`, and its JSON stands beside it.
"""
