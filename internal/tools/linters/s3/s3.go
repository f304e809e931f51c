// Package s3 has the names of Amazon S3's client that go-getter uses, and every call fails.
package s3

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
)

var errLeftOut = errors.New("this linter was built without Amazon S3")

// Client is one whose calls fail.
type Client struct{}

// Options are accepted and not looked at.
type Options struct {
	UsePathStyle bool
	BaseEndpoint *string
}

// NewFromConfig returns a client whose calls fail.
func NewFromConfig(aws.Config, ...func(*Options)) *Client { return nil }

// GetObject fails.
func (*Client) GetObject(context.Context, *GetObjectInput) (*GetObjectOutput, error) {
	return nil, errLeftOut
}

// GetObjectInput names an object.
type GetObjectInput struct{ Bucket, Key, VersionId *string }

// GetObjectOutput is never made.
type GetObjectOutput struct {
	Body          io.ReadCloser
	ContentLength *int64
}

// ListObjectsV2Input names a list.
type ListObjectsV2Input struct{ Bucket, Prefix *string }

// ListObjectsV2Output is never made.
type ListObjectsV2Output struct{ Contents []struct{ Key *string } }

// ListObjectsV2Paginator has one page, which fails.
type ListObjectsV2Paginator struct{}

// NewListObjectsV2Paginator returns a list whose first page fails.
func NewListObjectsV2Paginator(*Client, *ListObjectsV2Input) *ListObjectsV2Paginator { return nil }

// HasMorePages says yes, so that NextPage is called and fails.
func (*ListObjectsV2Paginator) HasMorePages() bool { return true }

// NextPage fails.
func (*ListObjectsV2Paginator) NextPage(context.Context) (*ListObjectsV2Output, error) {
	return nil, errLeftOut
}
