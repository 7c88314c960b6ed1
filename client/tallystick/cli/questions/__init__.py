"""Ask: the auditor's questions, a command a file. What an answer is stands in `audit.questions`; here it is printed."""
