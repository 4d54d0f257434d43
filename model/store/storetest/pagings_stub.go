package storetest

func pagingCases() []testCase { return nil }
