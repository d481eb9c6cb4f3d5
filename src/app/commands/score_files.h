// The files of `labelprobe score`: requests in, scores out.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace labelprobe::app
