// From the records of a data set's splits to the flat list of examples: id lists, annotators,
// debugging subsets, annotation modes. The same for every data set; the order of the steps decides
// the order of the list, and demonstration sampling draws positions of that list.
#pragma once

#include <string>

#include "data/reading/records.h"

namespace labelprobe::data {

// Throws DataError if nothing is left.
Dataset assemble(std::string name, LoadedSplits loaded, const DatasetOptions& options);

}  // namespace labelprobe::data
