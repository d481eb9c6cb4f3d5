// The draws behind the label modes (label_mode.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/prompt/queries.h"
#include "labelprobe/python/random.h"

namespace labelprobe::prompt {

// A mode that draws will be asked for, and the option it comes from.
struct AskedMode {
  LabelMode mode;
  std::string_view option;
};

class LabelDraws {
 public:
  // `train` and `label_set` must outlive this. Throws ConfigError if a mode asked for cannot be
  // used with them.
  LabelDraws(std::span<const Example> train,
             const LabelSet& label_set,
             const QueryOptions& options,
             std::initializer_list<AskedMode> asked);

  // Whether label draws have a seed of their own, other than the demonstrations'.
  bool has_own_seed() const;

  // Seeds the generator for the label draws that follow, if they have a seed of their own.
  void seed(python::Random& random) const;

  // The labels that `example` is shown with; `mode` is one of those asked for, or Gold. Throws
  // ConfigError if it has no prior labels where they are asked for, or no training example has
  // labels of as many tokens.
  Labels draw(LabelMode mode, const Example& example, python::Random& random) const;

 private:
  void check(const AskedMode& asked) const;
  void measure_labels();
  Labels draw_random(python::Random& random) const;
  Labels draw_from_distribution(const Example& example, python::Random& random) const;
  int n_label_tokens(const Labels& labels) const;

  std::span<const Example> train_;
  const LabelSet& label_set_;
  const LabelModeOptions options_;
  const std::int64_t seed_;
  const LabelFormat label_format_;
  std::map<int, std::vector<int>> positions_by_n_tokens_;  // only if lengths matter
};

}  // namespace labelprobe::prompt
