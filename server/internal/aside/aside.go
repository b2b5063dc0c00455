// Package aside keeps the stacks of goroutines that wait for long small.
//
// A goroutine's stack grows as deep as its deepest call, and the runtime makes it smaller again only when less than a quarter of it is in use. Under gRPC's
// own calls that never is the case. So whoever serves a call that is to wait for long leaves the deep work to a goroutine that ends.
package aside

// Do runs fn on a goroutine of its own and returns when fn has.
func Do(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	<-done
}
