package wsframe_test

import (
	"fmt"

	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

func Example() {
	hello := wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Text}, []byte("hello"))
	b := append(hello, 0x89) // and the beginning of a ping

	var in wsframe.Reader
	for len(b) > 0 {
		piece, n, err := in.Next(b, &wsframe.Rules{})
		if err != nil || n == 0 {
			fmt.Println(len(b), "byte left")
			break
		}
		fmt.Println(piece.Header.Opcode, string(piece.Payload))
		b = b[n:]
	}
	// Output:
	// 1 hello
	// 1 byte left
}
