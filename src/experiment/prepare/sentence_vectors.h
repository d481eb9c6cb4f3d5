// Vectors for the sampling strategy similarity, from a file or from an encoder.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "labelprobe/core/example.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/prompt/sampler.h"

namespace labelprobe::experiment {

struct SentenceVectors {
  std::shared_ptr<const prompt::SentenceVectors> vectors;  // null: none are needed, or none given
  std::string fingerprint;                                 // of the encoder; empty without one
};

// Throws DataError for a file without the vector of an example, and what the encoder throws.
SentenceVectors make_sentence_vectors(const Settings& settings,
                                      std::span<const Example> train,
                                      std::span<const Example> queries);

}  // namespace labelprobe::experiment
