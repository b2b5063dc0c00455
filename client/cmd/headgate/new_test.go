package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestTokenNew(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		out, _, err := headgate(t, nil, "token", "new")
		if err != nil {
			t.Fatal(err)
		}
		token := regexp.MustCompile(`hg_[A-Za-z0-9_-]{43}`).FindString(out)
		hash := sha256.Sum256([]byte(token))
		if token == "" || seen[token] || !strings.Contains(out, `"sha256:`+hex.EncodeToString(hash[:])+`"`) {
			t.Errorf("not a fresh token with its hash:\n%s", out)
		}
		seen[token] = true
	}
}

func TestSourceNew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets", "acme")
	args := []string{"source", "new", "acme", "--context", "Cust1,Cust2", "--time-zone", "Europe/Oslo", "--url", "https://hooks.example.com/base", "--secret-file", file}
	out, _, err := headgate(t, nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file has mode %v", info.Mode())
	}
	for _, want := range []string{
		"  acme:\n", "contexts: [Cust1, Cust2]", "time_zone: Europe/Oslo", "file: " + file,
		`"TargetUrl": "https://hooks.example.com/base/webhooks/superoffice/acme"`, `"Secret": "` + strings.TrimSpace(string(secret)) + `"`, `"relation.created"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if _, _, err := headgate(t, nil, args...); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a second time: %v", err)
	}
	if again, _ := os.ReadFile(file); string(again) != string(secret) {
		t.Error("the secret was overwritten")
	}
	for _, bad := range [][]string{
		{"source", "new", "Acme", "--context", "C", "--time-zone", "UTC", "--url", "https://h"},
		{"source", "new", "acme", "--context", "C", "--time-zone", "Nowhere/Land", "--url", "https://h"},
		{"source", "new", "acme", "--context", "C", "--time-zone", "UTC", "--url", "http://h"},
	} {
		if _, _, err := headgate(t, nil, bad...); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestSourcesTellHowToRestart(t *testing.T) {
	at := timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var out strings.Builder
	err := showSource(&stdio{out: &out}, &adminv1.SourceStatus{
		Source: "acme", Contexts: []string{"Cust1"}, LastAcceptedAt: at, LastSecretId: "2026b", Refused: 3,
		RefusedByCause: map[string]uint64{"unauthenticated": 2, "too_large": 1}, Stopped: true,
		LastHeardAt: at, ExpectedBy: noon, Suspected: []headgatev1.Gap_Cause{headgatev1.Gap_CAUSE_SILENCE}, SuspectedGaps: 2,
		LastSuspected: &headgatev1.Gap{Cause: headgatev1.Gap_CAUSE_RETRIED, FromTime: at, ToTime: noon},
	}, nil, noon.AsTime().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2026b", "too_large 1, unauthenticated 2", "PATCH /api/v1/Webhook/{id}", `{"State": "Active"}`, "last test call    never",
		", expected again 1h ago\n", "LOSING EVENTS?    silent when",
		"may be missing    2026-01-02T03:04:05Z to " + moment(noon) + ", webhooks came only when the CRM tried again\n", " 2 such gaps since the start\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}
