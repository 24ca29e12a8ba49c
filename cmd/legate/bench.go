package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

// newBench measures the simulators.
func newBench() *cobra.Command {
	var seconds float64
	var workers int
	var peers []string
	c := &cobra.Command{
		Use: "bench", Short: "How fast the simulators are",
		Long: "Prints one line a model: name, units per CPU second, units per wall second, unit, and two check values. The\n" +
			"checks come from a fixed run (seed 1): neither the time taken nor the number of workers changes a digit of\n" +
			"them. With --peer another program is run after ours, and its lines of the same form are printed too.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !(seconds > 0 && seconds <= 3600) || workers < 1 || workers > 1024 {
				return usageError{fmt.Errorf("--seconds must be above 0 and at most 3600, --workers from 1 to 1024: %g and %d are not", seconds, workers)}
			}
			for _, p := range peers {
				name, command, ok := strings.Cut(p, "=")
				if !ok || name == "" || strings.TrimSpace(command) == "" {
					return usageError{fmt.Errorf("--peer %q is not of the form NAME=COMMAND", p)}
				}
				if _, err := exec.LookPath(strings.Fields(command)[0]); err != nil {
					return fmt.Errorf("peer %s: %w", name, err)
				}
			}
			if err := bench(cmd.Context(), cmd.OutOrStdout(), seconds, workers); err != nil {
				return err
			}
			for _, p := range peers {
				if err := benchPeer(cmd.Context(), cmd.OutOrStdout(), p); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().Float64Var(&seconds, "seconds", 0.15, "CPU time for each model")
	c.Flags().IntVar(&workers, "workers", 1, "how many work at it")
	c.Flags().StringArrayVar(&peers, "peer", nil, "NAME=COMMAND of a program that prints such lines; may be given several times")
	return c
}

func bench(ctx context.Context, w io.Writer, seconds float64, workers int) error {
	models, err := simulators.Benchmarks()
	if err != nil {
		return err
	}
	for _, b := range models {
		check, check2, err := b.Checked(ctx, workers)
		if err != nil {
			return err
		}
		cpu, wall, err := benchRate(ctx, b, seconds, workers)
		if err != nil {
			return err
		}
		digits := func(x float64) string { return strconv.FormatFloat(x, 'g', 17, 64) }
		if err := writeLine(w, "legate:%s %.6g %.6g %s %s %s", b.Name, cpu, wall, b.Unit, digits(check), digits(check2)); err != nil {
			return err
		}
	}
	return nil
}

// benchRate repeats a model, each time with another seed, until the CPU time is used up.
func benchRate(ctx context.Context, b simulators.Benchmark, seconds float64, workers int) (cpu, wall float64, err error) {
	paths := int64(workers) * 4 * mc.DefaultBlock
	units, began, start := 0.0, cpuSeconds(), time.Now()
	for seed := uint64(2); ; seed++ {
		if _, err := (mc.Engine{Seed: seed, Paths: paths, Workers: workers}).Run(ctx, b.Name, b.Kernel); err != nil {
			return 0, 0, err
		}
		units += float64(paths) * b.PerPath
		if used := cpuSeconds() - began; used >= seconds {
			return units / used, units / time.Since(start).Seconds(), nil
		}
	}
}

// cpuSeconds is the CPU time of the process so far.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// benchPeer runs another program and prints its lines under its name.
func benchPeer(ctx context.Context, w io.Writer, peer string) error {
	name, command, _ := strings.Cut(peer, "=")
	args := strings.Fields(command)
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("run peer %s: %w: %.300s", name, err, errs.String())
	}
	lines := 0
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 4 {
			continue
		}
		if !strings.Contains(f[0], ":") {
			f[0] = name + ":" + f[0]
		}
		lines++
		if err := writeLine(w, "%s", inert(errors.New(strings.Join(f, " ")))); err != nil {
			return err
		}
	}
	if lines == 0 {
		return fmt.Errorf("peer %s printed no line of the form name rate rate unit check check2", name)
	}
	return nil
}
