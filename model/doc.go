// Package model holds the words of Usher: organizations and their integrations, the mirror of what Entra says
// (directory users, groups, memberships), what the application has (accounts, employees, roles), the settings that
// lead from one to the other, and what is told about it all (decisions, runs, changes, activity).
//
// Entities carry gorm tags, which are strings; the package imports the standard library alone, and every other room
// may import it. It has no behaviour beyond what a value can say about itself.
package model
