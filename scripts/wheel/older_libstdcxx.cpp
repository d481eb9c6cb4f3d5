// The one function of libstdc++ 12 that the program would otherwise ask for under a name that
// version 11 lacks (GLIBCXX_3.4.30). Part of the program in wheels, which run wherever glibc 2.34
// does, as on Red Hat 9.
#include <condition_variable>
#include <mutex>

void std::condition_variable::wait(std::unique_lock<std::mutex>& lock) {
  _M_cond.wait(*lock.mutex());
}
