package storetest

func schemaCases() []testCase { return nil }
