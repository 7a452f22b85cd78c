package main

type shape interface{ area() int }
type square struct{ side int }

func (s square) area() int { return s.side * s.side }

func sum(shapes ...shape) (total int) {
	for _, s := range shapes {
		total += s.area()
	}
	return
}

func main() { println(sum(square{2}, square{3})) }
