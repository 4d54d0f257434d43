package storetest

func deletionCases() []testCase { return nil }
