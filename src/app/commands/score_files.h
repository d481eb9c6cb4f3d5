// The files of `labelprobe score`: requests in, scores out, and what is kept of a run that was
// interrupted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/files/output_file.h"
#include "labelprobe/readout/given_texts.h"

namespace labelprobe::app {

// One line of the requests file.
struct ScoreLine {
  struct Pair {
    std::string prompt;
    std::string continuation;
  };
  std::string id;
  std::vector<Pair> pairs;  // at least one
  std::optional<std::string>
      pmi_prompt;     // in place of each prompt, for pointwise mutual information
  std::string place;  // "<file>:<line>"
};

// Reads {"id", "prompt", "continuations": ["..."]}, with "pmi_prompt" if wanted, or the lines that
// lm-eval logs of multiple-choice tasks (--log_samples: "doc_id", "arguments"); blank lines are
// skipped. `name` stands in messages. Throws DataError with name:line, expected and found; for
// equal ids too.
std::vector<ScoreLine> read_score_lines(std::istream& in, const std::string& name);

// The line of a request's score, without a line break.
//   bare_logprobs  of the continuations behind the PMI prompt; empty where there is none
std::string score_line(const ScoreLine& request,
                       const readout::GivenRequest& tokens,
                       const readout::RequestScore& score,
                       const std::vector<double>& bare_logprobs);

// Where lines go in the order of the requests, whatever order they come in. To standard output each
// goes as soon as those before it are there. For a file they are kept in FILE.begun until all are
// there, and a command that was interrupted finds them.
class ScoreOutput {
 public:
  //   task  what decides all lines; lines of another task are not taken over
  // Throws ConfigError if the file cannot be written.
  ScoreOutput(const std::filesystem::path& path, const std::string& task, std::size_t n_lines);

  bool has(std::size_t i) const { return lines_[i].has_value(); }
  std::size_t n_done() const { return n_done_; }
  void add(std::size_t i, std::string line);
  // All lines must be there. Throws ConfigError if not everything could be written.
  void finish();

 private:
  void take_over(const std::string& task);

  std::filesystem::path path_;
  std::filesystem::path begun_path_;  // empty for standard output
  std::ofstream begun_;
  files::OutputFile output_;
  std::vector<std::optional<std::string>> lines_;
  std::size_t n_done_ = 0;
  std::size_t n_written_ = 0;
};

}  // namespace labelprobe::app
