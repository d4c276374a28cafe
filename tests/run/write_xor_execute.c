// about: no mapping is ever writable and executable, not even one after the other
// > looked
#include "mappings.h"
