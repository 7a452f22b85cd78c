// Command report exercises Go's runtime under WASI: goroutines and channels on one thread, maps, closures, defer and
// recover, the collector, formatted output, JSON, files, environment, time and big numbers.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

type entry struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

func count(path string) ([]entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	words := map[string]int{}
	scanner := bufio.NewScanner(file)
	scanner.Split(bufio.ScanWords)
	for scanner.Scan() {
		words[strings.ToLower(strings.Trim(scanner.Text(), ".,;:!?'\"()"))]++
	}
	var list []entry
	for word, n := range words {
		list = append(list, entry{word, n})
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Count > list[j].Count || list[i].Count == list[j].Count && list[i].Word < list[j].Word
	})
	return list, scanner.Err()
}

func squares(n int) int {
	var group sync.WaitGroup
	results := make(chan int)
	for i := range n {
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(time.Duration(i%3) * time.Millisecond)
			results <- i * i
		}()
	}
	go func() { group.Wait(); close(results) }()
	sum := 0
	for r := range results {
		sum += r
	}
	return sum
}

func divide(a, b int) (result string) {
	defer func() {
		if r := recover(); r != nil {
			result = fmt.Sprint("recovered: ", r)
		}
	}()
	return fmt.Sprint(a / b)
}

func churn() int {
	type node struct{ left, right *node }
	var grow func(int) *node
	grow = func(depth int) *node {
		if depth == 0 {
			return &node{}
		}
		return &node{grow(depth - 1), grow(depth - 1)}
	}
	total := 0
	for range 20 {
		tree := grow(10)
		for n := tree; n != nil; n = n.left {
			total++
		}
	}
	runtime.GC()
	return total
}

func main() {
	fmt.Println(os.Args[1:], os.Getenv("GREETING"), runtime.GOOS, runtime.GOARCH)
	fmt.Println(squares(50), divide(7, 2), divide(1, 0), churn())
	fmt.Println(new(big.Int).Exp(big.NewInt(3), big.NewInt(200), nil))
	list, err := count(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	text, _ := json.MarshalIndent(list[:5], "", "  ")
	out := filepath.Join(os.Args[2], "report.json")
	if err := os.WriteFile(out, append(text, '\n'), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var back []entry
	data, _ := os.ReadFile(out)
	fmt.Println(json.Unmarshal(data, &back), back)
	_, err = os.Stat(filepath.Join(os.Args[2], "absent"))
	fmt.Println(os.IsNotExist(err))
	fmt.Println(time.Unix(1700000000, 0).UTC().Format(time.RFC3339), time.Since(time.Now()) < time.Second)
	os.Exit(7)
}
