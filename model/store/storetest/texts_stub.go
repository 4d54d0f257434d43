package storetest

func textCases() []testCase { return nil }
