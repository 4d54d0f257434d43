package storetest

func memberCases() []testCase { return nil }
