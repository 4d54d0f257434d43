package simulator

import "strings"

// Departments lists the departments. Each has a group of the same name.
func Departments() []string {
	return []string{"Engineering", "HR", "Sales", "Finance", "Marketing", "IT", "Operations", "Legal"}
}

// pioneer is a person with a fixed place in every tenant.
type pioneer struct{ given, family, department, title, alias string }

// pioneers come first in every tenant, so that stories have familiar names. The first is the root of the manager tree.
func pioneers() []pioneer {
	return []pioneer{
		{"Ada", "Lovelace", "Engineering", "Managing Director", ""},
		{"Grace", "Hopper", "Engineering", "Director of Engineering", ""},
		{"Alan", "Turing", "Engineering", "Principal Engineer", ""},
		{"Katherine", "Johnson", "Finance", "Finance Director", ""},
		{"Hedy", "Lamarr", "HR", "HR Director", ""},
		{"Charles", "Babbage", "Operations", "Head of Operations", ""},
		{"Mary", "Somerville", "Sales", "Sales Director", ""},
		{"Kurt", "Gödel", "Legal", "General Counsel", ""},
		{"Emmy", "Noether", "HR", "HR Partner", ""},
		{"Ángela", "Ruiz Robles", "Marketing", "Head of Marketing", ""},
		{"Jan", "Łukasiewicz", "IT", "Head of IT", ""},
		{"George", "Boole", "Engineering", "Engineer", ""},
		{"Søren", "Kierkegaard", "Sales", "Account Manager", ""},
		{"Dorothy", "Vaughan", "Finance", "Controller", ""},
		{"Ole", "Rømer", "Engineering", "Engineer", ""},
		{"Sophie", "Germain", "Engineering", "Engineer", ""},
		{"Paul", "Erdős", "Engineering", "Engineer", ""},
		{"Inge", "Lehmann", "Operations", "Planner", ""},
		{"孝和", "関", "Engineering", "Engineer", "takakazu.seki"},
		{"Софья", "Ковалевская", "Finance", "Analyst", "sofia.kovalevskaya"},
		{"Mary", "Jackson", "HR", "Recruiter", ""},
		{"Konrad", "Zuse", "IT", "System Administrator", ""},
		{"Annie", "Easley", "Marketing", "Editor", ""},
		{"René", "Descartes", "Legal", "Counsel", ""},
	}
}

func jobTitles(department string) []string {
	switch department {
	case "Engineering":
		return []string{"Engineer", "Senior Engineer", "Tester", "Designer"}
	case "HR":
		return []string{"HR Partner", "Recruiter", "Payroll Specialist"}
	case "Sales":
		return []string{"Account Manager", "Sales Engineer", "Sales Assistant"}
	case "Finance":
		return []string{"Analyst", "Accountant", "Controller"}
	default:
		return []string{"Specialist", "Coordinator", "Assistant"}
	}
}

func givenNames() []string {
	return []string{
		"Anna", "Björn", "Chloé", "Dimitri", "Elif", "Françoise", "Gül", "Håkon", "Inês", "José", "Karin", "Lukáš", "Małgorzata", "Noor",
		"Ólafur", "Priya", "Quentin", "Renée", "Šárka", "Tomás", "Ulla", "Věra", "Wiebke", "Xavier", "Yusuf", "Zoë", "Adam", "Beatrice",
		"Carlos", "Diana", "Emil", "Freja", "Georg", "Hannah", "Isak", "Julia", "Kasper", "Laura", "Mikkel", "Nina", "Oscar", "Petra",
		"Rasmus", "Sara", "Thomas", "Ursula", "Victor", "Wanda", "Yvonne", "Zachary",
	}
}

func familyNames() []string {
	return []string{
		"Andersen", "Bäcker", "Çelik", "Dvořák", "Eriksen", "Fernández", "García", "Hernández", "Ibsen", "Jørgensen", "Kowalski", "Lindström",
		"Müller", "Núñez", "O'Neill", "Pérez", "Quist", "Rasmussen", "Sørensen", "Thøgersen", "Uçar", "Vestergård", "Weiß", "Yıldız", "Zieliński",
		"Abbott", "Brown", "Clarke", "Dupont", "Evans", "Fischer", "Grant", "Hughes", "Iversen", "Jones", "Keller", "Larsen", "Moreau", "Nielsen",
		"Olsen", "Poulsen", "Richter", "Smith-Jones", "Taylor", "van der Berg", "Wagner", "Young", "Zimmermann",
	}
}

// serviceAccounts are the accounts behind machines and rooms, the kinds an exclusion rule has to catch.
func serviceAccounts() []struct{ alias, name string } {
	return []struct{ alias, name string }{
		{"svc-backup", "Backup service"},
		{"noreply", "No reply"},
		{"scanner", "Scanner 2nd floor"},
		{"room-everest", "Meeting room Everest"},
		{"svc-monitoring-bot", "Monitoring bot"},
	}
}

// site is an office and what people who work there share.
type site struct {
	address           *Address
	country, language string
	dial              string
	extension         *ExtensionAttributes
}

// offices builds the table of offices. A tenant makes it once and its people share the addresses, so that 100,000 people
// do not carry 100,000 of them.
func offices() []site {
	return []site{
		newSite("Copenhagen", "Kalvebod Brygge 1", "Hovedstaden", "1560", "DK", "da-DK", "+45 33", "CC-1000"),
		newSite("London", "2 Kingdom Street", "England", "W2 6BD", "GB", "en-GB", "+44 20", "CC-2000"),
		newSite("Zürich", "Bahnhofstraße 3", "ZH", "8001", "CH", "de-CH", "+41 44", "CC-3000"),
		newSite("São Paulo", "Avenida Paulista 4", "SP", "01310-100", "BR", "pt-BR", "+55 11", "CC-4000"),
		newSite("Seattle", "5 Pike Street", "WA", "98101", "US", "en-US", "+1 206", "CC-5000"),
		newSite("Łódź", "ulica Piotrkowska 6", "Łódzkie", "90-001", "PL", "pl-PL", "+48 42", "CC-6000"),
	}
}

// unaccented spells the letters of the tenant's names in ASCII.
func unaccented() *strings.Replacer {
	return strings.NewReplacer(
		"á", "a", "ä", "a", "å", "a", "ã", "a", "æ", "ae", "ç", "c", "č", "c", "é", "e", "ê", "e", "ě", "e", "í", "i", "ı", "i", "ł", "l",
		"ñ", "n", "ń", "n", "ó", "o", "ö", "oe", "ø", "oe", "ő", "o", "ř", "r", "ß", "ss", "š", "s", "ú", "u", "ü", "ue", "ý", "y", "ź", "z", "ž", "z",
		"ë", "e", " ", ".",
	)
}

func newSite(city, street, state, postal, country, language, dial, costCentre string) site {
	return site{
		address: &Address{Office: city + " office", Street: street, City: city, State: state, PostalCode: postal, Country: country},
		country: country, language: language, dial: dial,
		extension: &ExtensionAttributes{0: costCentre, 1: "Badge " + country, 14: "vip"},
	}
}
