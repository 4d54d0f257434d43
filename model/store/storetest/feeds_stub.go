package storetest

func feedCases() []testCase { return nil }
