// Package storage has the names of Google Cloud Storage that go-getter uses, and opens no client.
package storage

import (
	"context"
	"errors"
	"io"

	"google.golang.org/api/option"
)

var errLeftOut = errors.New("this linter was built without Google Cloud Storage")

// Client is one that NewClient never returns.
type Client struct{}

// NewClient fails.
func NewClient(context.Context, ...option.ClientOption) (*Client, error) { return nil, errLeftOut }

// Bucket is never reached.
func (*Client) Bucket(string) *BucketHandle { return nil }

// BucketHandle is never made.
type BucketHandle struct{}

// Object is never reached.
func (*BucketHandle) Object(string) *ObjectHandle { return nil }

// Objects is never reached.
func (*BucketHandle) Objects(context.Context, *Query) *ObjectIterator { return nil }

// Query is what objects are listed by.
type Query struct{ Prefix string }

// ObjectIterator is never made.
type ObjectIterator struct{}

// Next fails.
func (*ObjectIterator) Next() (*ObjectAttrs, error) { return nil, errLeftOut }

// ObjectAttrs is one object of a list.
type ObjectAttrs struct{ Name string }

// ObjectHandle is never made.
type ObjectHandle struct{}

// Generation is never reached.
func (o *ObjectHandle) Generation(int64) *ObjectHandle { return o }

// NewReader fails.
func (*ObjectHandle) NewReader(context.Context) (*Reader, error) { return nil, errLeftOut }

// Reader is never made.
type Reader struct{ io.ReadCloser }
