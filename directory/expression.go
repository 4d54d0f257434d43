package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"usher/model"
)

// Limits of an expression. There are no loops and no variables in the language, so the work of one run is bounded by
// the number of nodes times the length of a text.
const (
	maxExpressionLength = 4000   // bytes of source
	maxExpressionNodes  = 300    // nodes of the syntax tree
	maxExpressionMemory = 10_000 // cells of the machine
	maxExpressionText   = 16_384 // bytes of any text in between
)

// Expression turns the value of an attribute into another one: ToUpper(Left(value, 2)). See docs/reference/expressions.md.
// It is immutable and safe for concurrent use.
type Expression struct {
	source   string
	program  *vm.Program
	paths    map[string]Path // of Attribute calls
	readUser bool            // mentions user, whose numbers must be made comparable first
}

// Input is what an expression may look at.
type Input struct {
	Value  string         // of the source attribute, "" when it is absent
	Values []string       // all of them, where the attribute has several
	User   map[string]any // the attributes of the directory user
}

// expressionScope is the environment of a run; its fields and methods are what the language knows beyond functions.
type expressionScope struct {
	Value  string         `expr:"value"`
	Values []string       `expr:"values"`
	User   map[string]any `expr:"user"`

	paths map[string]Path
	attrs map[string]any
}

// Attribute gives the attribute at a SCIM path, "" when it is absent.
func (s *expressionScope) Attribute(path string) string {
	p, ok := s.paths[path]
	if !ok {
		return ""
	}
	return p.Text(s.attrs)
}

// CompileExpression reads an expression. The error says what is wrong and where (line:column).
func CompileExpression(source string) (e *Expression, err error) {
	switch {
	case strings.TrimSpace(source) == "":
		return nil, model.Errorf(model.Invalid, "the expression is empty")
	case len(source) > maxExpressionLength:
		return nil, model.Errorf(model.Invalid, "an expression has at most %d characters", maxExpressionLength)
	case !utf8.ValidString(source):
		return nil, model.Errorf(model.Invalid, "the expression is not valid UTF-8")
	}
	// The compiler folds constants and may panic on ones that cannot be folded.
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, model.Errorf(model.Invalid, "the expression cannot be compiled: %v", r)
		}
	}()
	check := &expressionCheck{paths: map[string]Path{}}
	options := append(expressionFunctions(),
		expr.Env(&expressionScope{}), expr.DisableAllBuiltins(), expr.MaxNodes(maxExpressionNodes), expr.Patch(check), expr.Optimize(false))
	program, err := expr.Compile(source, options...)
	if check.err != nil {
		return nil, check.err.at(source)
	}
	if err != nil {
		return nil, model.Errorf(model.Invalid, "%s", positioned(err))
	}
	return &Expression{source: source, program: program, paths: check.paths, readUser: check.readUser}, nil
}

// positioned renders the compiler's error in one line, with the place first.
func positioned(err error) string {
	if f, ok := errors.AsType[*file.Error](err); ok {
		return fmt.Sprintf("%d:%d: %s", f.Line, f.Column+1, f.Message)
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

// Run evaluates the expression; the result is text, "" for nothing. A list becomes its values separated by commas.
func (e *Expression) Run(in Input) (text string, err error) {
	scope := &expressionScope{Value: in.Value, Values: in.Values, paths: e.paths, attrs: in.User}
	if e.readUser {
		scope.User, _ = plain(in.User).(map[string]any)
	}
	machine := vm.VM{MemoryBudget: maxExpressionMemory}
	result, err := machine.Run(e.program, scope)
	if err != nil {
		return "", model.Errorf(model.Invalid, "the expression failed: %s", positioned(err))
	}
	text = anyText(result)
	if len(text) > maxExpressionText {
		return "", model.Errorf(model.Invalid, "the expression failed: %s", errTooLong)
	}
	return text, nil
}

// plain gives a copy of a JSON value in which numbers are numbers, as the language compares them.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		number, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return number
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = plain(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = plain(inner)
		}
		return out
	}
	return value
}

// expressionCheck visits the syntax tree: it refuses what could loop or grow without bound, and reads the paths of
// Attribute calls.
type expressionCheck struct {
	paths    map[string]Path
	readUser bool
	err      *expressionError
}

// expressionError is a refusal with the place it is about.
type expressionError struct {
	offset int // in characters
	detail string
}

func (e *expressionError) at(source string) error {
	located := (&file.Error{Location: file.Location{From: e.offset, To: e.offset + 1}}).Bind(file.NewSource(source))
	return model.Errorf(model.Invalid, "%d:%d: %s", located.Line, located.Column+1, e.detail)
}

func (c *expressionCheck) refuse(node ast.Node, format string, args ...any) {
	if c.err == nil {
		c.err = &expressionError{node.Location().From, fmt.Sprintf(format, args...)}
	}
}

// Visit is called by the compiler for every node.
func (c *expressionCheck) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.readUser = c.readUser || n.Value == "user" || n.Value == "$env"
		if n.Value == "$env" {
			c.refuse(n, "$env is not available")
		}
	case *ast.BuiltinNode:
		c.refuse(n, "function %s is not available", n.Name)
	case *ast.PredicateNode, *ast.PointerNode:
		c.refuse(n, "loops are not available")
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		c.refuse(n, "variables and sequences are not available")
	case *ast.BinaryNode:
		c.checkOperator(n)
	case *ast.CallNode:
		c.checkCall(n)
	case *ast.ArrayNode:
		c.readAttribute(node, n)
	}
}

// readAttribute understands the way in which Entra's expressions name an attribute, [department]: the same as
// Attribute("department").
func (c *expressionCheck) readAttribute(node *ast.Node, n *ast.ArrayNode) {
	if len(n.Nodes) != 1 {
		return
	}
	name, ok := n.Nodes[0].(*ast.IdentifierNode)
	if !ok || name.Value == "value" || name.Value == "values" || name.Value == "user" {
		return
	}
	path, err := ParsePath(name.Value)
	if err != nil {
		c.refuse(n, "%s", err.Error())
		return
	}
	c.paths[name.Value] = path
	ast.Patch(node, &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: "Attribute"},
		Arguments: []ast.Node{&ast.StringNode{Value: name.Value}},
	})
}

func (c *expressionCheck) checkOperator(n *ast.BinaryNode) {
	switch n.Operator {
	case "..":
		c.refuse(n, "ranges are not available")
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			c.refuse(n, "the pattern after matches must be a text in quotes")
		}
	}
}

func (c *expressionCheck) checkCall(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		c.refuse(n, "only the functions of the language can be called")
		return
	}
	if callee.Value != "Attribute" || len(n.Arguments) != 1 {
		return
	}
	argument, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		c.refuse(n, "the path of Attribute must be a text in quotes")
		return
	}
	path, err := ParsePath(argument.Value)
	if err != nil {
		c.refuse(argument, "%s", err.Error())
		return
	}
	c.paths[argument.Value] = path
}

// expressionFunctions are the functions of the language, named as in Entra's expressions.
func expressionFunctions() []expr.Option {
	var options []expr.Option
	for _, f := range functions() {
		options = append(options, expr.Function(f.name, f.call, f.signature))
	}
	return options
}

// function is one function of the language with its Go signature, which the compiler checks calls against.
type function struct {
	name      string
	signature any
	call      func(args ...any) (any, error)
}
