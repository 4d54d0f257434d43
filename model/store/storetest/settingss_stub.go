package storetest

func settingsCases() []testCase { return nil }
