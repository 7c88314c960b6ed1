"""The wire and record formats: one package a version, each `.proto` beside the stubs made from it."""
